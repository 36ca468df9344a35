"""The process that owns the pins, the lamp and the halt latch."""
