"""Planning: what was measured on the data, and what was decided from it."""
