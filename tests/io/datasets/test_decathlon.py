import json

import nibabel
import numpy as np
import pytest

from napari_segment.errors import FormatError
from napari_segment.io.datasets.pairs import Pairs

DESCRIPTION = {
    "name": "Brains",
    "labels": {"0": "background", "1": "edema", "2": "tumour"},
    "modality": {"0": "MRI"},
    "tensorImageSize": "3D",
    "training": [
        {"image": "./imagesTr/b_10.nii.gz", "label": "./labelsTr/b_10.nii.gz"},
        {"image": "./imagesTr/b_2.nii.gz", "label": "./labelsTr/b_2.nii.gz"},
        {"image": "./imagesTr/b_3.nii.gz", "label": "./labelsTr/b_3.nii.gz"},
    ],
    "test": ["./imagesTs/b_5.nii.gz"],
}


def fill(folder, shape=(4, 5, 6), cases=("b_2", "b_10"), suffix=""):
    for name in ("imagesTr", "labelsTr"):
        (folder / name).mkdir()
    for case in cases:
        image = nibabel.Nifti1Image(np.ones(shape, np.int16), np.eye(4))
        nibabel.save(image, folder / "imagesTr" / f"{case}{suffix}.nii.gz")
        labels = nibabel.Nifti1Image(np.ones(shape[:3], np.uint8), np.eye(4))
        nibabel.save(labels, folder / "labelsTr" / f"{case}.nii.gz")


def describe(folder, **changes):
    (folder / "dataset.json").write_text(json.dumps(DESCRIPTION | changes))
    return folder


def test_listed_cases(tmp_path):
    fill(tmp_path)
    pairs = Pairs.of(describe(tmp_path))
    assert [(c.name, c.part) for c in pairs] == [("b_2", "train"), ("b_10", "train")]
    assert (pairs.holds, pairs.names) == ("classes", {1: "edema", 2: "tumour"})
    assert pairs.notes == (
        "2 images with labels, of Brains.",
        "b_3.nii.gz is not there; its case was left out.",
    )
    image, labels = pairs.read(0)
    assert (image.axes, labels.names) == ("ZYX", pairs.names)
    assert len(Pairs.of(tmp_path / "dataset.json")) == 2


def test_modalities(tmp_path):
    fill(tmp_path, shape=(4, 5, 6, 2))
    describe(tmp_path, tensorImageSize="4D", modality={"0": "T1", "1": "T2"})
    image, labels = Pairs.of(tmp_path).read(0)
    assert (image.axes, image.shape, labels.shape) == ("CZYX", (2, 6, 5, 4), (6, 5, 4))


def test_nnunet_names_channels_and_labels_the_other_way_round(tmp_path):
    fill(tmp_path, suffix="_0000")
    description = {
        "channel_names": {"0": "CT"},
        "labels": {"background": 0, "liver": 1},
        "file_ending": ".nii.gz",
    }
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    pairs = Pairs.of(tmp_path)
    assert [c.name for c in pairs] == ["b_2", "b_10"]
    assert pairs.names == {1: "liver"}


def test_regions_are_read_as_the_classes_that_they_divide_into(tmp_path):
    fill(tmp_path)
    labels = {"background": 0, "whole": [1, 2, 3], "core": [2, 3], "active": 3, "ignore": 4}
    pairs = Pairs.of(describe(tmp_path, labels=labels, regions_class_order=[1, 2, 3]))
    assert pairs.names == {1: "whole", 2: "whole + core", 3: "whole + core + active"}
    assert pairs.ignore_index == 4
    assert any("whole, core" in note for note in pairs.notes)
    assert any("label 4 ('ignore')" in note for note in pairs.notes)


@pytest.mark.parametrize(
    ("labels", "names", "ignored"),
    [
        ({"background": 0, "cell": 1, "ignore": 2}, {1: "cell"}, 2),  # nnU-Net
        ({"background": 0, "a": 1, "b": 2, "ignore": 255}, {1: "a", 2: "b"}, 255),
        ({"0": "background", "1": "cell", "2": "ignore"}, {1: "cell"}, 2),  # Decathlon
        ({"background": 0, "cell": 1}, {1: "cell"}, None),
        ({"background": 0, "cell": 1, "ignored vessel": 2}, {1: "cell", 2: "ignored vessel"}, None),
    ],
)
def test_the_label_ignore_is_no_class(tmp_path, labels, names, ignored):
    fill(tmp_path)
    pairs = Pairs.of(describe(tmp_path, labels=labels))
    assert (pairs.names, pairs.ignore_index) == (names, ignored)


@pytest.mark.parametrize("value", ["one", 1.5, [], [1, "2"], True, {}])
def test_labels_without_whole_numbers_are_refused(tmp_path, value):
    fill(tmp_path)
    with pytest.raises(FormatError, match=r"'cell' of dataset.json .* whole number"):
        Pairs.of(describe(tmp_path, labels={"background": 0, "cell": value}))


def test_broken_description(tmp_path):
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(FormatError, match="cannot be read as JSON"):
        Pairs.of(tmp_path)
