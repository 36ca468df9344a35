"""Chart patterns: shapes that swings draw, each with a place, a quality, a direction and the level that ends it."""
