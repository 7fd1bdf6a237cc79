"""What is done with labels: cleanups, edits, measurements, scores.

Importing this package registers the cleanups and the edits.
"""

from napari_segment.results import cleanup, edits, link

__all__ = ["cleanup", "edits", "link"]
