"""The seeded simulation that breaks everything and checks what must hold."""
