"""Models of the BioImage.IO zoo: https://bioimage.io"""

from napari_segment.exchange.bioimageio.kind import KIND
from napari_segment.exchange.bioimageio.method import bioimageio, outputs_of
from napari_segment.exchange.bioimageio.package import Package, open_package

__all__ = ["KIND", "Package", "bioimageio", "open_package", "outputs_of"]
