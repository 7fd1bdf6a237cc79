"""Training data: reading cases, drawing patches, having batches ready in time."""
