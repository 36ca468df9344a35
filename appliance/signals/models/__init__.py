"""Models: what they see, how they are trusted, and what they answer."""
