"""Bot4 Edge: an autonomous trading appliance with a physical stop."""
