"""`check` names each planted fault, and nothing in a sound data set."""

import numpy as np
import pytest

from napari_segment import api, io
from napari_segment.cli import main
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs

SPACING = (2.0, 1.0, 1.0)


def case(number, rng, **changes):
    """A sound case: two classes, a volume of its own."""
    given = {"spacing": SPACING, "unit": "millimeter", "data": None, "labels": None, "affine": None}
    given |= changes
    shape = (4, 8, 9)
    data = rng.integers(0, 999, shape).astype(np.uint16) if given["data"] is None else given["data"]
    labels = np.zeros(shape, np.int16)
    labels[1:3, 2:6, 2:6], labels[1:3, 4:6, 2:6] = 1, 2
    labels = labels if given["labels"] is None else given["labels"]
    geometry = (given["spacing"], given["unit"], given["affine"])
    image = Image(data, "ZYX" if data.ndim == 3 else "CZYX", *geometry)
    return Case(
        f"c{number}", image, Labels(labels, "ZYX", *geometry, holds="classes"),
        given.get("part", "train"),
    )  # fmt: skip


def check(*cases, **more):
    names = {1: "one", 2: "two"}
    return api.check(Pairs(cases, "classes", names, **more))


def problems(findings):
    return [(f.kind, f.severity, f.cases) for f in findings if f.severity != "note"]


def test_a_sound_data_set(rng):
    findings = check(*(case(i, rng) for i in range(4)))
    assert problems(findings) == []
    assert [f.message for f in findings if f.kind == "class balance"] == [
        "The class 'one' (1) takes 5.6% of the annotated voxels.",
        "The class 'two' (2) takes 5.6% of the annotated voxels.",
    ]


EMPTY = np.zeros((4, 8, 9), np.int16)
STRANGE = EMPTY.copy()
STRANGE[0, 0, :3] = 1, 2, 7
NAN = np.full((4, 8, 9), 999, np.float32)
NAN[0, 0, 0] = np.nan
TURNED = np.diag([2.0, -1.0, -1.0, 1.0])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"labels": EMPTY}, [("labels", "warning")]),
        ({"labels": EMPTY - 1}, [("labels", "error")]),
        ({"labels": STRANGE}, [("label values", "error")]),
        ({"data": EMPTY}, [("intensity", "error")]),
        ({"data": NAN}, [("intensity", "error"), ("intensity", "error")]),
        ({"spacing": (2.0, 1.0, 0.1)}, [("spacing", "warning")]),
        ({"unit": "micrometer"}, [("unit", "warning")]),
        (
            {"data": np.arange(2 * 4 * 8 * 9).reshape(2, 4, 8, 9)},
            [("axes", "error"), ("channels", "error")],
        ),
        ({"data": np.arange(4 * 8 * 9).reshape(4, 8, 9) * 1000}, [("intensity", "warning")]),
    ],
)  # fmt: skip
def test_one_faulty_case(changes, expected, rng):
    findings = check(*(case(i, rng) for i in range(4)), case(9, rng, **changes))
    kinds = [(k, s) for k, s, _ in problems(findings)]
    assert sorted(set(kinds)) == sorted(set(expected)), problems(findings)
    assert all(cases == ("c9",) for _, _, cases in problems(findings))


def test_orientation_is_a_note(rng):
    straight = np.diag([2.0, 1.0, 1.0, 1.0])
    cases = [case(i, rng, affine=straight, spacing=()) for i in range(3)]
    findings = check(*cases, case(9, rng, affine=TURNED, spacing=()))
    assert problems(findings) == []
    assert [f.cases for f in findings if f.kind == "orientation"] == [("c9",)]


@pytest.mark.parametrize(("part", "severity"), [("train", "warning"), ("test", "error")])
def test_duplicates(part, severity, rng):
    first = case(1, rng)
    second = case(2, rng, data=first.image.data, part=part)
    assert problems(check(first, second)) == [("duplicates", severity, ("c1", "c2"))]


def test_a_class_that_never_occurs(rng):
    labels = EMPTY.copy()
    labels[1] = 1
    findings = check(*(case(i, rng, labels=labels) for i in range(2)))
    assert problems(findings) == [("class balance", "warning", ())]
    assert "'two' (2) occurs in no case" in findings[0].message


@pytest.fixture
def folders(tmp_path, rng):
    for name in ("a", "b"):
        one = case(name, rng)
        io.write(one.image, tmp_path / f"images/{name}.nii.gz")
        io.write(one.labels, tmp_path / f"labels/{name}.nii.gz")
    return tmp_path


def test_files(folders, capsys):
    command = ["check", "--images", str(folders / "images"), "--labels", str(folders / "labels")]
    assert main(command) == 0
    (folders / "images" / "b.nii.gz").write_bytes(b"?")
    (folders / "labels" / "c.nii.gz").write_bytes(b"?")
    capsys.readouterr()
    assert main(command) == 1
    printed = capsys.readouterr().out
    assert "error: Labels without an image of their name were left out: c.nii.gz." in printed
    assert "b.nii.gz cannot be read as NIfTI" in printed


def test_shapes_that_differ(folders):
    labels = Labels(np.ones((4, 8, 7), np.uint8), "ZYX", SPACING, "millimeter")
    io.write(labels, folders / "labels" / "b.nii.gz")
    findings = api.check((folders / "images", folders / "labels"))
    assert any("b" in f.cases for f in findings if f.severity in ("error", "warning"))
