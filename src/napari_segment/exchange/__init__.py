"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio, nnunet, onnx, own, totalsegmentator

__all__ = ["bioimageio", "nnunet", "onnx", "own", "totalsegmentator"]
