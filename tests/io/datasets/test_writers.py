"""A data set written in another layout and read again."""

import numpy as np
import pytest

from napari_segment import api, io
from napari_segment.cli import main
from napari_segment.errors import FormatError, UnknownNameError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.case import Case
from napari_segment.io.datasets.pairs import Pairs


def volumes(rng):
    """Two volumes of classes, one for validation."""
    cases = []
    for name, part in (("a", "train"), ("b", "validation")):
        geometry = ((2.0, 0.5, 0.5), "millimeter")
        image = Image(rng.integers(0, 999, (4, 8, 9)).astype(np.int16), "ZYX", *geometry)
        labels = rng.integers(0, 3, (4, 8, 9)).astype(np.uint8)
        cases.append(Case(name, image, Labels(labels, "ZYX", *geometry, holds="classes"), part))
    return Pairs(tuple(cases), "classes", {1: "one", 2: "two"})


def planes(rng):
    """Two planes of objects, of two classes."""
    cases = []
    for name in ("a", "b"):
        labels = np.zeros((8, 9), np.uint8)
        labels[1:4, 1:3], labels[5:, 4:] = 1, 2
        image = Image(rng.integers(0, 255, (8, 9)).astype(np.uint8), "YX")
        cases.append(Case(name, image, Labels(labels, "YX"), "", {1: 2, 2: 1}))
    return Pairs(tuple(cases), "objects", {1: "cat", 2: "dog"})


@pytest.mark.parametrize("layout", ["folders", "decathlon", "omezarr", "nested_cases"])
def test_volumes_come_back(layout, tmp_path, rng):
    pairs = volumes(rng)
    folder = api.convert_pairs(pairs, tmp_path / "new", layout=layout)
    actual = Pairs.of(folder)
    for i in range(2):
        image, labels = actual.read(i)
        expected, truth = pairs.read(i)
        np.testing.assert_array_equal(np.asarray(image.data), expected.data)
        np.testing.assert_array_equal(np.asarray(labels.data), truth.data)
        assert (image.spacing, image.unit) == (expected.spacing, expected.unit)
    if layout == "decathlon":
        assert actual.names == pairs.names
        assert [c.part for c in actual] == ["train", "validation"]


@pytest.mark.parametrize("layout", ["folders", "coco", "dsb2018"])
def test_planes_come_back(layout, tmp_path, rng):
    pairs = planes(rng)
    actual = Pairs.of(api.convert_pairs(pairs, tmp_path / "new", layout=layout))
    for i in range(2):
        image, labels = actual.read(i)
        np.testing.assert_array_equal(image.data, pairs.cases[i].image.data)
        np.testing.assert_array_equal(labels.data, pairs.cases[i].labels.data)
    if layout == "coco":
        assert actual.names == pairs.names
        assert actual.cases[0].classes == pairs.cases[0].classes


@pytest.mark.parametrize("channels", [("flair", "t1", "t2"), ("t2", "flair", "t1"), ()])
def test_cases_of_several_modalities(channels, tmp_path, rng):
    data = rng.integers(0, 99, (3, 4, 8, 9)).astype(np.int16)
    image = Image(data, "CZYX", (2.0, 1.0, 1.0), "millimeter", channels=channels)
    labels = Labels(
        (data[0] > 50).astype(np.uint8), "ZYX", (2.0, 1.0, 1.0), "millimeter", holds="classes"
    )
    pairs = Pairs((Case("p1", image, labels),), "classes", {})
    folder = api.convert_pairs(pairs, tmp_path / "new", layout="nested_cases")
    names = sorted(path.name for path in (folder / "p1").iterdir())
    assert "p1_seg.nii.gz" in names
    assert len(names) == 4
    actual, truth = Pairs.of(folder).read(0)
    np.testing.assert_array_equal(actual.transpose("CZYX").data, data)
    np.testing.assert_array_equal(truth.data, labels.data)
    if channels == ("flair", "t1", "t2"):
        assert names[0] == "p1_flair.nii.gz"


def test_what_is_refused(tmp_path, rng):
    with pytest.raises(FormatError, match=r"holds planes\. Write the layout folders"):
        api.convert_pairs(volumes(rng), tmp_path / "new", layout="coco")
    with pytest.raises(UnknownNameError, match="layout that is written named 'coko'"):
        api.convert_pairs(planes(rng), tmp_path / "other", layout="coko")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").touch()
    with pytest.raises(FormatError, match="full is there and holds files"):
        api.convert_pairs(planes(rng), tmp_path / "full")


def test_convert_on_the_command_line(tmp_path, rng, capsys):
    api.convert_pairs(volumes(rng), tmp_path / "one", layout="decathlon")
    given = ["convert", "--dataset", str(tmp_path / "one"), "-o", str(tmp_path / "two")]
    assert main([*given, "--to-layout", "omezarr"]) == 0
    assert len(Pairs.of(tmp_path / "two")) == 2
    files = sorted((tmp_path / "one" / "imagesTr").iterdir())
    assert main(["convert", *map(str, files), "-o", str(tmp_path / "mha"), "--suffix", ".mha"]) == 0
    names = sorted(p.name for p in (tmp_path / "mha").iterdir())
    assert names == ["a.mha", "b.mha"]
    np.testing.assert_array_equal(io.read(tmp_path / "mha" / "a.mha").data, io.read(files[0]).data)
    label = tmp_path / "one" / "labelsTr" / "a.nii.gz"
    inside = tmp_path / "two" / "a.ome.zarr" / "labels" / "again"
    assert main(["convert", str(label), "--are-labels", "-o", str(inside)]) == 0
    np.testing.assert_array_equal(
        np.asarray(io.read_labels(inside).data), io.read_labels(label).data
    )
    assert main(["convert", str(label), "-o", str(tmp_path / "x"), "--suffix", ".xyz"]) == 2
