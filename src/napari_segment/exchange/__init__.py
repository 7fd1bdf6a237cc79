"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio, nnunet, onnx, own

__all__ = ["bioimageio", "nnunet", "onnx", "own"]
