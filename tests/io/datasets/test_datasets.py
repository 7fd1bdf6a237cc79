"""PASCAL VOC, CamVid, Cityscapes and Open Images, as they lie on disk."""

import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Picture

from napari_segment.errors import FormatError
from napari_segment.io.datasets import open_layout
from napari_segment.io.datasets.pairs import Pairs
from napari_segment.io.datasets.voc import colour


@pytest.fixture
def layouts():
    folder = Path(os.environ.get("NAPARI_SEGMENT_DATA", "../shared/data")) / "layouts"
    if not folder.is_dir():
        pytest.skip(f"no real data in {folder.parent}; set NAPARI_SEGMENT_DATA")
    return folder


def save(path, data, mode=None):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = Picture.fromarray(np.asarray(data), mode)
    if mode == "P":
        picture.putpalette([c for i in range(256) for c in colour(i)])
    picture.save(path)


PHOTO = np.zeros((4, 5, 3), np.uint8)
MASK = np.zeros((4, 5), np.uint8)
MASK[0], MASK[1], MASK[2, 2:] = 15, 255, 8


# ---- VOC ----


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


# ---- CamVid ----


def test_camvid_in_colours_and_numbers(tmp_path):
    save(tmp_path / "train/1.png", PHOTO)
    painted = np.zeros((4, 5, 3), np.uint8)
    painted[0], painted[1] = (128, 64, 128), (128, 128, 128)
    save(tmp_path / "trainannot/1.png", painted)
    (tmp_path / "train.txt").write_text(
        "/SegNet/CamVid/train/1.png /SegNet/CamVid/trainannot/1.png\n/train/2.png /x/2.png\n"
    )
    pairs = Pairs.of(tmp_path)
    _, labels = pairs.read(0)
    assert (pairs.names[labels.data[0, 0]], pairs.names[labels.data[1, 0]]) == ("Road", "Sky")
    assert (labels.data[2:] == pairs.ignore_index).all()
    assert len(pairs.names) == 31
    assert pairs.notes[1] == "/train/2.png or its annotation is not there; it was left out."
    save(
        tmp_path / "trainannot/1.png",
        np.full((4, 5), 11, np.uint8) - np.eye(4, 5, dtype=np.uint8) * 8,
    )
    pairs = Pairs.of(tmp_path)
    _, labels = pairs.read(0)
    assert pairs.names[labels.data[0, 0]] == "Road"
    assert labels.data[0, 1] == pairs.ignore_index


# ---- Cityscapes ----


def test_cityscapes(tmp_path):
    ids = np.array([[3, 7, 26, 26001, 26002], [24001, 33, 7, 1, 26001]], np.uint16)
    save(tmp_path / "leftImg8bit/val/bonn/bonn_1_leftImg8bit.png", PHOTO[:2])
    save(tmp_path / "gtFine/val/bonn/bonn_1_gtFine_instanceIds.png", ids)
    save(tmp_path / "leftImg8bit/val/bonn/bonn_2_leftImg8bit.png", PHOTO[:2])
    pairs = Pairs.of(tmp_path)
    assert [(c.name, c.part) for c in pairs] == [("bonn_1", "validation")]
    assert (pairs.ignore_index, len(pairs.names), len(pairs.notes)) == (255, 19, 2)
    expected = [[255, 1, 14, 14, 14], [12, 19, 1, 255, 14]]
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert (pairs.names[1], pairs.names[14], pairs.names[12]) == ("road", "car", "person")
    objects = open_layout(tmp_path, ("cityscapes", {"what": "objects"}))
    np.testing.assert_array_equal(objects.read(0)[1].data, [[0, 0, 0, 2, 3], [1, 0, 0, 0, 2]])
    (tmp_path / "gtFine/val/bonn/bonn_1_gtFine_instanceIds.png").unlink()
    training_ids = np.array([[255, 0, 13, 13, 13], [11, 18, 0, 255, 13]], np.uint8)
    save(tmp_path / "gtFine/val/bonn/bonn_1_gtFine_labelTrainIds.png", training_ids)
    np.testing.assert_array_equal(Pairs.of(tmp_path).read(0)[1].data, expected)


# ---- Open Images ----


def test_open_images(tmp_path):
    save(tmp_path / "images/train/a.jpg", np.zeros((8, 10, 3), np.uint8))
    big, small = np.zeros((4, 5), bool), np.zeros((16, 20), bool)
    big[:, :3], small[2:6, 2:6] = True, True
    save(tmp_path / "masks/train/a_1.png", small)
    save(tmp_path / "masks/train/a_2.png", big)
    notes = tmp_path / "annotations"
    notes.mkdir()
    (notes / "train-annotations-object-segmentation.csv").write_text(
        "MaskPath,ImageID,LabelName\na_1.png,a,/m/1\na_2.png,a,/m/0\nlost.png,b,/m/0\n"
    )
    (notes / "class-descriptions.csv").write_text("/m/0,Zebra\n/m/1,Apple\n")
    pairs = Pairs.of(tmp_path)
    assert (pairs.names, pairs[0].classes) == ({1: "Apple", 2: "Zebra"}, {1: 1, 2: 2})
    expected = np.zeros((8, 10), int)
    expected[:, :6] = 2
    expected[1:3, 1:3] = 1
    np.testing.assert_array_equal(pairs.read(0)[1].data, expected)
    assert len(pairs.notes) == 2


# ---- folders of other tools' tests ----


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
