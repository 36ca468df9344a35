"""One file a strategy: features in, an opinion out."""
