"""Small real folders of several layouts."""

import os
from pathlib import Path

import numpy as np
import pytest

from napari_segment.errors import FormatError
from napari_segment.io.datasets.pairs import Pairs


@pytest.fixture
def layouts():
    folder = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "layouts"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder.parent}; set NAPARI_SEGMENT_DATA")
    return folder


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("folder", "count", "holds"),
    [
        ("voc_dataset/voc_dataset1", 1, "classes"),
        ("camvid_dataset", 4, "classes"),
        ("cityscapes_dataset/dataset", 4, "classes"),
        ("cityscapes_dataset/train_dataset", 4, "classes"),
        ("open_images_dataset/v6", 1, "objects"),
        ("coco_dataset/coco_instances", 2, "objects"),
        ("coco_dataset/coco_roboflow", 2, "objects"),
        ("coco_dataset/mmdet_coco", 2, "objects"),
        ("coco_dataset/coco", 2, "objects"),
    ],
)
def test_small_real_folders(layouts, folder, count, holds):
    pairs = Pairs.of(layouts / folder)
    assert (len(pairs), pairs.holds) == (count, holds)
    for case in pairs:
        image, labels = pairs.read(case)
        assert labels.shape == (image.size("Y"), image.size("X"))
        named = {int(v) for v in np.unique(labels.data)} - {0, pairs.ignore_index}
        assert named <= (set(case.classes) if holds == "objects" else set(pairs.names))


@pytest.mark.realdata
@pytest.mark.parametrize("folder", ["voc_dataset/voc_dataset3", "coco_dataset/coco_captions"])
def test_folders_without_masks_say_so(layouts, folder):
    with pytest.raises(FormatError, match="no known layout"):
        Pairs.of(layouts / folder)
