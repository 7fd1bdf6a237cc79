"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio

__all__ = ["bioimageio"]
