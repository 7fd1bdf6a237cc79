"""Bundles of MONAI: https://monai.io/model-zoo"""

from napari_segment.exchange.monai_bundle.bundle import Bundle, open_bundle
from napari_segment.exchange.monai_bundle.kind import KIND
from napari_segment.exchange.monai_bundle.method import monai_bundle

__all__ = ["KIND", "Bundle", "monai_bundle", "open_bundle"]
