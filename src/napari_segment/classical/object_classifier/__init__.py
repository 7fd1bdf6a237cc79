"""Object classifiers: measurements of objects, and forests learnt from some that have a class.

Importing this package registers the cleanup `classify_objects`.
"""

from napari_segment.classical.object_classifier import cleanup

__all__ = ["cleanup"]
