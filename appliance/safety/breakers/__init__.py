"""Circuit breakers: what forbids new entries for a while, and how it lets them begin again."""
