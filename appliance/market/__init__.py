"""Trades and quotes become a tape and bars; what looks wrong is refused and counted."""
