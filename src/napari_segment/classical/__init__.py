"""Classical methods and filters. Importing this package registers them."""
