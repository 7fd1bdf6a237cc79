"""Models in and out of other tools."""
