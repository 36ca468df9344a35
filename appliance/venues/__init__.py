"""The socket shells between the trader and its venues."""
