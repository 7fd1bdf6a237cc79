"""Forms derived from entries, and the parts that docks share."""
