"""The engine: one recipe over the axes of one image."""
