"""Made-up pairs as folders."""

import numpy as np
import pytest

from napari_segment import samples
from napari_segment.cli import main
from napari_segment.io import read, read_labels


def test_pairs_are_the_samples_of_their_seeds(tmp_path, capsys):
    given = [
        "samples",
        "nuclei",
        "-o",
        str(tmp_path),
        "--count",
        "2",
        "--size",
        "48",
        "--seed",
        "7",
    ]
    assert main(given) == 0
    assert "2 pairs of YX 48×48" in capsys.readouterr().out
    image, labels = samples.nuclei((48, 48), seed=8)
    actual = read(tmp_path / "images" / "nuclei_008.tif")
    np.testing.assert_array_equal(actual.data, image.data)
    assert actual.spacing == pytest.approx(image.spacing)
    actual = read_labels(tmp_path / "labels" / "nuclei_008.tif")
    np.testing.assert_array_equal(actual.data, labels.data)
    assert actual.holds == "objects"


@pytest.mark.parametrize(("holds", "largest"), [("mask", 1), ("trimap", 2)])
def test_labels_as_mask_and_trimap(tmp_path, capsys, holds, largest):
    given = ["samples", "stained_tissue", "-o", str(tmp_path), "--count", "1", "--size", "32,40"]
    assert main([*given, "--holds", holds]) == 0
    assert capsys.readouterr().out.startswith("1 pair of ")
    labels = read_labels(tmp_path / "labels" / "stained_tissue_000.tif")
    assert labels.shape == (32, 40)
    assert labels.holds == ("mask" if holds == "mask" else "classes")
    assert np.unique(labels.data).tolist() == list(range(largest + 1))


def test_the_border_is_one_pixel_on_either_side():
    objects = np.zeros((1, 9), np.uint8)
    objects[0, 2:5], objects[0, 5:8] = 1, 2
    labels = samples.as_trimap(samples.Labels(np.repeat(objects, 3, 0)))
    assert np.asarray(labels.data)[1].tolist() == [0, 2, 2, 1, 2, 2, 1, 2, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["nucleus"], "'nuclei'"),
        (["nuclei", "--size", "a"], "write 256"),
        (["nuclei", "--size", "8,8,8"], "2 sides"),
        (["nuclei", "--count", "0"], "--count"),
        (["nuclei", "--seed", "-3"], "--seed 0 or more"),
        (["two_tissues", "--holds", "trimap", "--size", "8"], "are classes"),
    ],
)
def test_wrong_usage_is_said(tmp_path, capsys, given, message):
    assert main(["samples", *given, "-o", str(tmp_path)]) == 2
    assert message in capsys.readouterr().err
