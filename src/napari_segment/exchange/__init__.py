"""Models in and out of other tools."""

from napari_segment.exchange import bioimageio, monai_bundle, nnunet, onnx, own, totalsegmentator

__all__ = ["bioimageio", "monai_bundle", "nnunet", "onnx", "own", "totalsegmentator"]
