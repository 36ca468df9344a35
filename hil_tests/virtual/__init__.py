"""The virtual bench: the real image in an emulated machine, with Linux's own simulated pins."""
