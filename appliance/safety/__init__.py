"""The lease, the button, the modes and the lamp; pure but for the shared pages."""
