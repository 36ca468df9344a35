"""More than a hundred indicators as one table: `catalogue` holds it, `series` computes, `steps` are the building blocks."""
