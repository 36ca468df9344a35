"""Indicators as one table: `catalogue` holds it, `compute` computes, `steps` are what formulas are built from."""
