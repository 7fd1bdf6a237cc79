"""Networks and losses: no data, no files."""
