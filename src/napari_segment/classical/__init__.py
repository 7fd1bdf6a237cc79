"""Classical methods and filters. Importing this package registers them."""

from napari_segment.classical import clusters, edges, filters, regions, threshold

__all__ = ["clusters", "edges", "filters", "regions", "threshold"]
