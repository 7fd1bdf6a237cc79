"""`check` names each of eighteen faults that were planted into sound data sets on disk."""

import json
import shutil

import numpy as np
import pytest

from napari_segment import Image, Labels, io
from napari_segment.cli import main

SPACING, UNIT = (2.0, 1.0, 1.0), "millimeter"
AFFINE = np.diag([2.0, 1.0, 1.0, 1.0])
NAMES = {"0": "background", "1": "one", "2": "two"}


def volume(seed, dtype=np.int16):
    return np.random.default_rng(seed).integers(1, 999, (4, 8, 9)).astype(dtype)


def truth():
    data = np.zeros((4, 8, 9), np.uint8)
    data[1:3, 2:4, 2:6], data[1:3, 4:6, 2:6] = 1, 2
    return data


def put(folder, name, image=None, labels=None, *, spacing=SPACING, unit=UNIT, affine=AFFINE):
    """Write one case, or what of it is given."""
    if image is not None:
        axes = "ZYX" if image.ndim == 3 else "CZYX"
        io.write(Image(image, axes, spacing, unit, affine), folder / f"imagesTr/{name}.nii.gz")
    if labels is not None:
        made = Labels(labels, "ZYX", spacing, unit, affine, holds="classes")
        io.write(made, folder / f"labelsTr/{name}.nii.gz")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sound")
    for number in range(5):
        put(folder, f"c{number}", volume(number), truth())
    listed = [
        {"image": f"./imagesTr/c{n}.nii.gz", "label": f"./labelsTr/c{n}.nii.gz"} for n in range(5)
    ]
    document = {"name": "sound", "modality": {"0": "CT"}, "labels": NAMES, "training": listed[:4],
                "validation": listed[4:], "test": []}  # fmt: skip
    (folder / "dataset.json").write_text(json.dumps(document))
    return folder


def unlisted(folder, change):
    """Change the data set's description."""
    document = json.loads((folder / "dataset.json").read_text())
    change(document)
    (folder / "dataset.json").write_text(json.dumps(document))


def labels_with(value, count=2):
    data = truth()
    data[0, 0, :count] = value
    return data


WIDE = np.concatenate([truth(), truth()], axis=2)
FAR = AFFINE + np.array([[0, 0, 0, 900], [0] * 4, [0] * 4, [0] * 4])
TURNED = np.diag([2.0, -1.0, -1.0, 1.0])
FLOATS = volume(1, np.float32)
NAN = FLOATS.copy()
NAN[0, 0, 0] = np.nan

FAULTS = {
    "an image is missing": (
        lambda f: (f / "imagesTr/c1.nii.gz").unlink(), "error", "c1"),
    "a label file is missing": (
        lambda f: (f / "labelsTr/c1.nii.gz").unlink(), "error", "c1"),
    "an image cannot be read": (
        lambda f: (f / "imagesTr/c1.nii.gz").write_bytes(b"?"), "error", "cannot be read"),
    "a label file is cut off": (
        lambda f: (f / "labelsTr/c1.nii.gz").write_bytes(
            (f / "labelsTr/c1.nii.gz").read_bytes()[:60]), "error", "c1"),
    "labels have another shape": (
        lambda f: put(f, "c1", labels=WIDE), "any", "c1"),
    "labels lie elsewhere in the world": (
        lambda f: put(f, "c1", labels=truth(), affine=FAR), "error", "c1"),
    "an image has no numbers": (
        lambda f: put(f, "c1", NAN), "error", "no numbers"),
    "an image is constant": (
        lambda f: put(f, "c1", np.full((4, 8, 9), 7, np.int16)), "error", "are 7"),
    "labels are empty": (
        lambda f: put(f, "c1", labels=np.zeros((4, 8, 9), np.uint8)), "warning", "are empty"),
    "a label number has no name": (
        lambda f: put(f, "c1", labels=labels_with(7)), "error", "7"),
    "a class occurs nowhere": (
        lambda f: unlisted(f, lambda d: d["labels"].update({"3": "three"})), "warning", "'three'"),
    "a spacing is wrong": (
        lambda f: put(f, "c1", volume(1), truth(), spacing=(2, 1, 0.1),
                      affine=np.diag([2, 1, 0.1, 1])), "warning", "has the spacing"),
    "a unit is wrong": (
        lambda f: put(f, "c1", volume(1), truth(), unit="micrometer"), "warning", "micrometer"),
    "an image has another number of channels": (
        lambda f: put(f, "c1", np.stack([volume(1), volume(2)])), "error", "channels"),
    "values have another scale": (
        lambda f: put(f, "c1", volume(1, np.int32) * 1000), "warning", "Check its scale"),
    "an image is there twice": (
        lambda f: put(f, "c1", volume(2)), "warning", "c1, c2 have the same pixels"),
    "an image is in training and validation": (
        lambda f: put(f, "c1", volume(4)), "error", "train, validation"),
    "an image is turned": (
        lambda f: put(f, "c1", volume(1), truth(), affine=TURNED), "note", "orientation"),
    "an image has another type": (
        lambda f: put(f, "c1", FLOATS), "note", "type"),
}  # fmt: skip


def checked(folder, capsys):
    status = main(["check", "--dataset", str(folder), "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_a_sound_data_set_has_no_problems(sound, capsys):
    status, findings = checked(sound, capsys)
    assert status == 0
    assert [f for f in findings if f["severity"] != "note"] == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_named(fault, sound, tmp_path, capsys):
    plant, severity, text = FAULTS[fault]
    folder = shutil.copytree(sound, tmp_path / "faulty")
    plant(folder)
    before = {finding["message"] for finding in checked(sound, capsys)[1]}
    status, findings = checked(folder, capsys)
    new = [f for f in findings if f["message"] not in before]
    severities = ("error", "warning") if severity == "any" else (severity,)
    named = [f for f in new if f["severity"] in severities and text in f["message"]]
    assert named, "\n".join(f"{f['severity']}: {f['message']}" for f in findings)
    assert status == int(any(f["severity"] == "error" for f in findings))
