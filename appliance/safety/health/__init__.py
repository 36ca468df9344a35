"""Health checks, one file each: what is read, what is still good, and what follows when it is not."""
