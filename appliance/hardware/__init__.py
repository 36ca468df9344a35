"""Pins, watchdogs and memory of the machine itself."""
