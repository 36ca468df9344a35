"""The step, and the shells that drive it."""
