"""0 and 255 become 0 and 1 in all label files of a data set, or in none."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as Picture

from napari_segment.io import read_labels
from napari_segment.io.datasets.pairs import Pairs


def dataset(root, files, suffix=".tif"):
    for folder in ("images", "labels"):
        (root / folder).mkdir()
    for k, labels in enumerate(files):
        tifffile.imwrite(root / "images" / f"{k}.tif", np.zeros(labels.shape, np.uint16))
        if suffix == ".tif":
            tifffile.imwrite(root / "labels" / f"{k}.tif", labels)
        else:
            Picture.fromarray(labels).save(root / "labels" / f"{k}{suffix}")
    return Pairs.of((root / "images", root / "labels"))


def values(pairs):
    return [np.unique(pairs.read(i)[1].data).tolist() for i in range(len(pairs))]


def plane(*numbers, dtype=np.uint8):
    """A plane of 20 x 20 with a square of each number."""
    labels = np.zeros((20, 20), dtype)
    for i, number in enumerate(numbers):
        labels[5 * i : 5 * i + 4, 3:9] = number
    return labels


@pytest.mark.parametrize("suffix", [".tif", ".png"])
@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ([plane(128, 255), plane(255)], [[0, 128, 255], [0, 255]]),  # two classes
        ([plane(255), plane(128, 255)], [[0, 255], [0, 128, 255]]),  # the other way round
        ([plane(1, 255), plane(255)], [[0, 1, 255], [0, 255]]),  # a cell, and not annotated
        ([plane(255), plane(255)], [[0, 1], [0, 1]]),
        ([plane(), plane(255)], [[0], [0, 1]]),  # an empty mask
        ([plane(255), plane(255), plane(7)], [[0, 255], [0, 255], [0, 7]]),
    ],
)
def test_one_rule_for_all_files(tmp_path, files, expected, suffix):
    pairs = dataset(tmp_path, files, suffix)
    assert values(pairs) == expected
    assert bool(pairs.decisions) == (expected[-1] == [0, 1])


def test_masks_of_one_bit_go_with_those_of_eight(tmp_path):
    pairs = dataset(tmp_path, [plane(255), plane(1).astype(bool)], ".png")
    assert values(pairs) == [[0, 1], [0, 1]]
    assert {pairs.read(i)[1].holds for i in range(2)} == {"mask"}


def test_the_rule_of_a_part_is_that_of_the_whole(tmp_path):
    pairs = dataset(tmp_path, [plane(255), plane(1, 255), plane(255)])
    assert values(pairs.subset([0, 2])) == [[0, 255], [0, 255]]
    assert values(pairs[:1]) == [[0, 255]]


def test_255_is_left_where_it_means_not_annotated(tmp_path):
    pairs = dataset(tmp_path, [plane(255), plane(255)])
    assert values(replace(pairs, ignore_index=255)) == [[0, 255], [0, 255]]
    assert values(replace(pairs, ignore_index=2)) == [[0, 1], [0, 1]]


def test_no_file_is_read_before_one_asks_for_it(tmp_path):
    pairs = dataset(tmp_path, [plane(255), plane(1)])
    (tmp_path / "labels" / "0.tif").unlink()
    assert pairs.read(1)[1].data.max() == 1  # decided without the others
    assert not pairs.decisions


def test_a_single_file_says_what_was_made_of_it(tmp_path):
    dataset(tmp_path, [plane(255)])
    with pytest.warns(UserWarning, match=r"0.tif holds nothing but 0 and 255"):
        labels = read_labels(tmp_path / "labels" / "0.tif")
    assert (labels.holds, int(labels.data.max())) == ("mask", 1)
