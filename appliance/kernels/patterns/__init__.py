"""Candlesticks, swings and the shapes they draw: arrays in, arrays out."""
