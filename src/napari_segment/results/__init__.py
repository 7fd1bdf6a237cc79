"""What is done with labels: cleanups, measurements, scores.

Importing this package registers the cleanups.
"""

from napari_segment.results import cleanup, link

__all__ = ["cleanup", "link"]
