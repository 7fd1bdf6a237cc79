"""Classical methods and filters. Importing this package registers them."""

from napari_segment.classical import (
    classifier,
    clusters,
    edges,
    filters,
    object_classifier,
    regions,
    threshold,
)

__all__ = [
    "classifier",
    "clusters",
    "edges",
    "filters",
    "object_classifier",
    "regions",
    "threshold",
]
