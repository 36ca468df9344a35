"""The settings of the appliance: their table, the reader that holds a file against it, and its explanations."""
