"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio, onnx

__all__ = ["bioimageio", "onnx"]
