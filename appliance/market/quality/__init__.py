"""How far an instrument's bars may be believed: one file a layer, joined by `watch`."""
