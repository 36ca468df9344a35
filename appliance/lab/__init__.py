"""Research on recorded data, with the appliance's own parts."""
