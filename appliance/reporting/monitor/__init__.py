"""Watching appliances from outside, from nothing but what they publish."""
