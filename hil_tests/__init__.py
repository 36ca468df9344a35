"""Numbered cards for the bench: the same procedure, whatever rig carries it out."""
