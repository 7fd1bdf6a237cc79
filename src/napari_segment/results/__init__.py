"""What is done with labels: cleanups, measurements, scores.

Importing this package registers the cleanups.
"""
