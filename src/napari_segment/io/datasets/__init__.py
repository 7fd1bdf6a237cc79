"""Dataset layouts: from a folder, or the file that describes it, to Pairs.

A layout is an entry ``(folder, *, settings) -> Pairs``. It raises `OtherLayoutError` at once where
the folder is not of its kind, so that `open_layout` can ask one after the other.
"""

from __future__ import annotations

from napari_segment.errors import OtherLayoutError
from napari_segment.io.datasets import (
    camvid,
    cell_tracking,
    cityscapes,
    coco,
    coco_panoptic,
    decathlon,
    folders,
    nested_cases,
    nuclei_2018,
    omezarr_labels,
    open_images,
    oxford_pet,
    voc,
    yolo,
)
from napari_segment.io.datasets.pairs import open_layout

__all__ = [
    "OtherLayoutError",
    "camvid",
    "cell_tracking",
    "cityscapes",
    "coco",
    "coco_panoptic",
    "decathlon",
    "folders",
    "nested_cases",
    "nuclei_2018",
    "omezarr_labels",
    "open_images",
    "open_layout",
    "oxford_pet",
    "voc",
    "yolo",
]
