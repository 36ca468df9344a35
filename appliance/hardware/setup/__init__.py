"""The owner's side of the card: settings and keys come from it, and what to do about them goes back to it."""
