"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio, onnx, own

__all__ = ["bioimageio", "onnx", "own"]
