"""Train the shipped models from recorded bars; never on the appliance."""
