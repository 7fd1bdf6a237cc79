"""PASCAL VOC as it lies on disk."""

import pickle

import numpy as np
import pytest
from shared.pictures import MASK, PHOTO, save

from napari_segment.errors import FormatError
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.datasets.voc import colour


def fill_voc(folder):
    for name in ("b", "10", "2"):
        save(folder / f"JPEGImages/{name}.jpg", PHOTO)
    save(folder / "SegmentationClass/10.png", MASK, "P")
    save(
        folder / "SegmentationClass/2.png",
        np.array([colour(i) for i in MASK.ravel()], np.uint8).reshape(4, 5, 3),
    )
    save(folder / "SegmentationClass/lost.png", MASK, "P")
    save(folder / "SegmentationObject/2.png", np.where(MASK == 8, 3, MASK).astype(np.uint8), "P")
    sets = folder / "ImageSets" / "Segmentation"
    sets.mkdir(parents=True)
    (sets / "train.txt").write_text("2\n")
    (sets / "val.txt").write_text("10\nb\n")
    return folder


def test_voc(tmp_path):
    pairs = Pairs.of(fill_voc(tmp_path))
    assert [(c.name, c.part) for c in pairs] == [("2", "train"), ("10", "validation")]
    assert (pairs.holds, pairs.ignore_index, len(pairs.names)) == ("classes", 255, 20)
    assert (pairs.names[8], pairs.names[15]) == ("cat", "person")
    assert pairs.notes == (
        "2 images with classes.",
        "The mask lost.png has no image; it was left out.",
        "1 images have no masks; they were left out.",
    )
    for case in pickle.loads(pickle.dumps(pairs)):
        image, labels = pairs.read(case)
        assert image.is_rgb
        np.testing.assert_array_equal(labels.data, MASK)
    objects = open_layout(tmp_path, ("voc", {"what": "objects"}))
    assert objects.holds == "objects"
    assert set(np.unique(objects.read(0)[1].data)) == {0, 3, 15, 255}


def test_voc_with_classes_of_its_own(tmp_path):
    (fill_voc(tmp_path) / "labelmap.txt").write_text(
        "# label:color_rgb:parts:actions\nbackground:0,0,0::\ncell:192,128,128::\nedge:64,0,0::\n"
    )
    pairs = Pairs.of(tmp_path)
    assert pairs.names == {1: "cell", 2: "edge"}
    _, labels = pairs.read(0)
    assert set(np.unique(labels.data)) == {0, 1, 2, 255}


def test_voc_with_a_strange_colour(tmp_path):
    save(fill_voc(tmp_path) / "SegmentationClass/2.png", PHOTO + 7)
    pairs = Pairs.of(tmp_path)
    with pytest.raises(
        FormatError, match=r"2\.png has the colour \(7, 7, 7\), which stands for no"
    ):
        pairs.read(0)
