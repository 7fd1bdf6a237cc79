"""Pixel classifiers: features at several scales, and forests learnt from sparse labels.

Importing this package registers the method `classifier`.
"""

from napari_segment.classical.classifier import method

__all__ = ["method"]
