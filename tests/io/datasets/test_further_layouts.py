"""Oxford Pet, Cell Tracking Challenge, DSB 2018, BraTS, panoptic, YOLO and OME-Zarr with labels."""

import json

import numpy as np
import pytest
from PIL import Image as Picture

from napari_segment import io
from napari_segment.errors import FormatError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs

PHOTO = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)


def save(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    Picture.fromarray(np.asarray(data)).save(path)


def test_oxford_pet(tmp_path):
    trimap = np.full((4, 5), 2, np.uint8)
    trimap[1:3, 1:3], trimap[1, 1] = 1, 3
    for name in ("Abyssinian_10", "Abyssinian_2", "pug_1"):
        save(tmp_path / f"images/{name}.jpg", PHOTO)
        save(tmp_path / f"annotations/trimaps/{name}.png", trimap)
    (tmp_path / "annotations/trimaps/._pug_1.png").write_bytes(b"?")
    lists = tmp_path / "annotations"
    (lists / "trainval.txt").write_text("#Image ID\nAbyssinian_10 1 1 1\nAbyssinian_2 1 1 1\n")
    (lists / "test.txt").write_text("pug_1 2 2 1\nlost_1 3 1 1\n")
    pairs = Pairs.of(tmp_path)
    assert [(c.name, c.part) for c in pairs] == [
        ("Abyssinian_2", "train"), ("Abyssinian_10", "train"), ("pug_1", "test")
    ]  # fmt: skip
    assert pairs.names == {1: "pet", 2: "border"}
    assert "lost_1" in pairs.notes[1]
    expected = np.zeros((4, 5), int)
    expected[1:3, 1:3], expected[1, 1] = 1, 2
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    without = open_layout(tmp_path, ("oxford_pet", {"border": "unlabelled"}))
    assert without.read(0)[1].data[1, 1] == without.ignore_index == 255


@pytest.fixture
def sequence(tmp_path):
    """Three frames, of which two have outlines and all have markers; cell 1 divides."""
    for time in range(3):
        io.write(Image(np.full((4, 5), time, np.uint8), "YX"), tmp_path / f"01/t{time:03}.tif")
        markers = np.zeros((4, 5), np.uint16)
        markers[0, 0] = 1 if time < 2 else 2
        markers[3, 3] = 3 if time == 2 else 0
        path = tmp_path / f"01_GT/TRA/man_track{time:03}.tif"
        io.write(Labels(markers, "YX"), path)
    for time in (0, 2):
        outline = np.zeros((4, 5), np.uint16)
        outline[:2, :2] = 7 + time
        io.write(Labels(outline, "YX"), tmp_path / f"01_GT/SEG/man_seg{time:03}.tif")
    (tmp_path / "01_GT/TRA/man_track.txt").write_text("1 0 1 0\n2 2 2 1\n3 2 2 1\n")
    return tmp_path


def test_outlines_of_the_cell_tracking_challenge(sequence):
    pairs = Pairs.of(sequence)
    assert [c.name for c in pairs] == ["01_t000", "01_t002"]
    image, labels = pairs.read(1)
    assert image.data[0, 0] == 2
    assert np.unique(labels.data).tolist() == [0, 9]


def test_tracks_of_the_cell_tracking_challenge(sequence):
    pairs = open_layout(sequence, ("cell_tracking", {"truth": "TRA"}))
    image = pairs.read_image(0)
    labels = pairs.cases[0].labels()
    assert (image.axes, image.shape, labels.axes) == ("TYX", (3, 4, 5), "TYX")
    assert labels.data[:, 0, 0].tolist() == [1, 1, 2]
    assert labels.header["lineage"] == ((1, 0, 1, 0), (2, 2, 2, 1), (3, 2, 2, 1))
    (sequence / "01_GT/TRA/man_track.txt").write_text("1 0 1 5\n")
    with pytest.raises(FormatError, match="parent 5, which is no track"):
        open_layout(sequence, ("cell_tracking", {"truth": "TRA"}))


def test_single_slices_of_the_cell_tracking_challenge(tmp_path):
    volume = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)
    io.write(Image(volume, "ZYX"), tmp_path / "01/t000.tif")
    outline = np.zeros((4, 5), np.uint16)
    outline[0] = 4
    io.write(Labels(outline, "YX"), tmp_path / "01_GT/SEG/man_seg_000_002.tif")
    pairs = Pairs.of(tmp_path)
    image, labels = pairs.read(0)
    np.testing.assert_array_equal(image.data, volume[2])
    np.testing.assert_array_equal(labels.data, outline)


def test_data_science_bowl(tmp_path):
    for name, count in (("b", 2), ("a", 1), ("empty", 0)):
        save(tmp_path / name / f"images/{name}.png", PHOTO)
        for i in range(count):
            mask = np.zeros((4, 5), np.uint8)
            mask[i] = 255
            save(tmp_path / name / f"masks/{i}.png", mask)
    pairs = Pairs.of(tmp_path)
    assert [c.name for c in pairs] == ["a", "b"]
    assert pairs.read(1)[1].data[:, 0].tolist() == [1, 2, 0, 0]
    assert "empty has 1 images and 0 masks" in pairs.notes[1]


@pytest.mark.parametrize("divider", ["_", "-"])
def test_cases_of_several_modalities(tmp_path, divider, rng):
    for name in ("case-10", "case-2"):
        for kind in ("t1", "flair", "seg"):
            data = rng.integers(0, 4, (3, 4, 5)).astype(np.uint8)
            stack = Labels(data, "ZYX") if kind == "seg" else Image(data, "ZYX")
            path = tmp_path / name / f"{name}{divider}{kind}.nii.gz"
            io.write(stack.replace(unit="millimeter"), path)
    io.write(Image(data, "ZYX"), tmp_path / f"case-3/case-3{divider}t1.nii.gz")
    pairs = Pairs.of(tmp_path)
    assert [c.name for c in pairs] == ["case-2", "case-10"]
    assert "the channels are flair, t1" in pairs.notes[0]
    assert "case-3 has no file" in pairs.notes[1]
    image, labels = pairs.read(0)
    assert (image.axes, image.shape, labels.shape) == ("CZYX", (2, 3, 4, 5), (3, 4, 5))
    flair = io.read(tmp_path / f"case-2/case-2{divider}flair.nii.gz")
    np.testing.assert_array_equal(image.data[0], flair.data)
    one = open_layout(tmp_path, ("nested_cases", {"modalities": "t1"}))
    assert one.read(0)[0].axes == "ZYX"


def test_coco_panoptic(tmp_path):
    save(tmp_path / "val2017/7.jpg", PHOTO)
    segments = np.zeros((4, 5, 3), np.uint8)
    segments[0], segments[1], segments[2] = (44, 1, 0), (5, 0, 1), (9, 0, 0)
    save(tmp_path / "annotations/panoptic_val2017/7.png", segments)
    listed = [
        {"id": 300, "category_id": 3, "iscrowd": 0},
        {"id": 65541, "category_id": 90, "iscrowd": 0},
        {"id": 9, "category_id": 3, "iscrowd": 1},
    ]
    document = {
        "images": [{"id": 1, "file_name": "7.jpg", "height": 4, "width": 5}],
        "annotations": [{"image_id": 1, "file_name": "7.png", "segments_info": listed}],
        "categories": [
            {"id": 90, "name": "sky", "isthing": 0}, {"id": 3, "name": "car", "isthing": 1}
        ],
    }  # fmt: skip
    path = tmp_path / "annotations/panoptic_val2017.json"
    path.write_text(json.dumps(document))
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs.ignore_index) == ({1: "car", 2: "sky"}, 3)
    assert pairs.read(0)[1].data[:, 0].tolist() == [1, 2, 3, 3]
    things = open_layout(path, ("coco_panoptic", {"holds": "objects"}))
    assert things.read(0)[1].data[:, 0].tolist() == [1, 0, 0, 0]
    assert things.cases[0].classes == {1: 1}


def test_yolo(tmp_path):
    save(tmp_path / "images/train/a.png", PHOTO)
    (tmp_path / "labels/train").mkdir(parents=True)
    square = "1 0 0 0.4 0 0.4 0.5 0 0.5"
    text = tmp_path / "labels/train/a.txt"
    text.write_text(f"{square}\n0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("names: {0: cat, 1: dog}\n")
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs.cases[0].part) == ({1: "cat", 2: "dog"}, "train")
    expected = np.zeros((4, 5), int)
    expected[:2, :2] = 1
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert pairs.cases[0].classes == {1: 2}
    assert "line 2 is no polygon" in pairs.notes[1]
    text.write_text("dog 1 2 3\n")
    with pytest.raises(FormatError, match=r"a\.txt, line 1: a class and the corners"):
        open_layout(tmp_path, "yolo")


def test_omezarr_with_labels(tmp_path, volume):
    path = io.write(volume, tmp_path / "a.ome.zarr")
    labels = Labels(
        np.asarray(volume.data > 9).astype(np.uint8), "ZYX", volume.spacing, volume.unit
    )
    io.write(labels, path / "labels" / "cells")
    io.write(labels, path / "labels" / "cells")  # again
    pairs = Pairs.of(tmp_path)
    image, actual = pairs.read(0)
    np.testing.assert_array_equal(np.asarray(image.data), volume.data)
    np.testing.assert_array_equal(np.asarray(actual.data), labels.data)
    np.testing.assert_array_equal(np.asarray(io.read_labels(path).data), labels.data)
    io.write(labels, path / "labels" / "nuclei")
    with pytest.raises(FormatError, match="cells, nuclei"):
        io.read_labels(path)
    assert io.read_labels(path, series="nuclei").shape == labels.shape
    import zarr

    assert zarr.open(path / "labels").attrs["ome"]["labels"] == ["cells", "nuclei"]
    assert open_layout(path, ("omezarr", {"labels": "nuclei"})).cases[0].name == "a"
