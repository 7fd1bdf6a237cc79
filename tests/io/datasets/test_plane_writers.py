"""Planes written as COCO panoptic, YOLO and VOC, and read again by the layouts."""

import json

import numpy as np
import pytest
from PIL import Image as Picture

from napari_segment import api
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs, open_layout


def objects(rng):
    """Planes of objects of two classes, for training and for validation."""
    cases = []
    for name, part in (("a", "train"), ("b", "validation")):
        labels = np.zeros((20, 31), np.uint8)
        labels[1:4, 1:3], labels[5:, 4:9] = 1, 2
        labels[5:9, 9:14] = 2
        labels[0:6, 20:30] = 3
        image = Image(rng.integers(0, 255, (20, 31)).astype(np.uint8), "YX")
        cases.append(Case(name, image, Labels(labels, "YX"), part, {1: 2, 2: 1, 3: 2}))
    return Pairs(tuple(cases), "objects", {1: "cat", 2: "dog"})


def classes(rng):
    """Planes of three classes, one of them only in name, with pixels that are not annotated."""
    cases = []
    for name in ("a", "b"):
        labels = rng.integers(0, 3, (12, 14)).astype(np.uint8)
        labels[3, 4:6] = 255
        colours = rng.integers(0, 255, (12, 14, 3)).astype(np.uint8)
        image = Image(colours, "YXC", channels=("red", "green", "blue"))
        cases.append(Case(name, image, Labels(labels, "YX", holds="classes"), "test"))
    return Pairs(tuple(cases), "classes", {1: "sky", 2: "sea", 3: "sand"}, 255)


@pytest.mark.parametrize(("layout", "settings"), [
    ("coco", {}), ("coco_panoptic", {"holds": "objects"}), ("yolo", {}),
    ("voc", {"what": "objects"}),
])  # fmt: skip
def test_objects_come_back(layout, settings, tmp_path, rng):
    pairs = objects(rng)
    folder = api.convert_pairs(pairs, tmp_path / "new", layout=layout)
    actual = open_layout(folder, (layout, settings))
    assert [c.name for c in actual] == ["a", "b"]
    assert [c.part for c in actual] == ["train", "validation"]
    for i in range(2):
        image, labels = actual.read(i)
        np.testing.assert_array_equal(image.data, pairs.cases[i].image.data)
        np.testing.assert_array_equal(labels.data, pairs.cases[i].labels.data)
        if layout != "voc":
            assert dict(actual.cases[i].classes) == dict(pairs.cases[i].classes)
            assert actual.names == pairs.names


def test_classes_come_back_from_voc(tmp_path, rng):
    pairs = classes(rng)
    actual = open_layout(api.convert_pairs(pairs, tmp_path / "new", layout="voc"), "voc")
    assert (actual.names, actual.ignore_index) == (pairs.names, 255)
    for i in range(2):
        np.testing.assert_array_equal(actual.read(i)[1].data, pairs.cases[i].labels.data)
        assert actual.cases[i].part == "test"
    with Picture.open(tmp_path / "new" / "SegmentationClass" / "a.png") as picture:
        assert np.asarray(picture)[3, 4].tolist() == [224, 224, 192]


def test_objects_of_voc_have_their_classes_too(tmp_path, rng):
    pairs = objects(rng)
    actual = open_layout(api.convert_pairs(pairs, tmp_path / "new", layout="voc"), "voc")
    expected = np.array([0, 2, 1, 2])[pairs.cases[0].labels.data]
    np.testing.assert_array_equal(actual.read(0)[1].data, expected)
    assert actual.names == {1: "cat", 2: "dog"}


def test_classes_of_panoptic_have_a_background(tmp_path, rng):
    pairs = classes(rng)
    folder = api.convert_pairs(pairs, tmp_path / "new", layout="coco_panoptic")
    actual = open_layout(folder, "coco_panoptic")
    assert actual.names == {1: "background", 2: "sky", 3: "sea", 4: "sand"}
    for i in range(2):
        given = pairs.cases[i].labels.data.astype(int)
        expected = np.where(given == 255, actual.ignore_index, given + 1)
        np.testing.assert_array_equal(actual.read(i)[1].data, expected)
    document = json.loads((folder / "annotations" / "panoptic_test.json").read_text())
    segment = document["annotations"][0]["segments_info"][0]
    assert segment["area"] == int((pairs.cases[0].labels.data == 0).sum())


def test_lines_of_yolo(tmp_path, rng):
    folder = api.convert_pairs(objects(rng), tmp_path / "new", layout="yolo")
    first = (folder / "labels" / "train" / "a.txt").read_text().splitlines()[0].split()
    corners = np.array(first[1:], float).reshape(-1, 2) * (31, 20)
    assert first[0] == "1"
    assert {tuple(np.round(c, 6)) for c in corners.tolist()} == {(1, 1), (3, 1), (3, 4), (1, 4)}
    assert '0: "cat"' in (folder / "data.yaml").read_text()


def test_what_a_layout_cannot_hold_is_refused(tmp_path, rng):
    holed = np.ones((5, 5), np.uint8)
    holed[2, 2] = 0
    many = np.arange(400).reshape(20, 20).astype(np.uint16)
    for layout, data, text in (("yolo", holed, "hole or several"), ("voc", many, "label 399")):
        image = Image(np.zeros(data.shape, np.uint8), "YX")
        pairs = Pairs((Case("a", image, Labels(data, "YX")),), "objects", {})
        with pytest.raises(FormatError, match=text):
            api.convert_pairs(pairs, tmp_path / layout, layout=layout)
