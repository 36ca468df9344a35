"""Bars become features."""
