"""ONNX files: export of trained networks, and the method that runs files from elsewhere."""

from napari_segment.exchange.onnx.card import OnnxCard, find_card
from napari_segment.exchange.onnx.export import export
from napari_segment.exchange.onnx.kind import KIND
from napari_segment.exchange.onnx.method import onnx

__all__ = ["KIND", "OnnxCard", "export", "find_card", "onnx"]
