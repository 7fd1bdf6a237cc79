"""Layers and the core's Image and Labels."""
