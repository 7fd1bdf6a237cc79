"""Labels that are examples only, by hand."""

from dataclasses import replace

import dask.array as da
import numpy as np
import pytest
from tifffile import imwrite

from napari_segment.image import Labels
from napari_segment.io.datasets.examples import examples
from napari_segment.io.datasets.pairs import Pairs


def test_numbers_become_what_they_mean():
    labels = Labels(np.array([[0, 4, 2], [9, 4, 0]], np.uint8), "YX")
    turned = examples(labels, 4)
    np.testing.assert_array_equal(turned.data, [[-1, 0, 2], [9, 0, -1]])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64, np.int32])
@pytest.mark.parametrize("lazy", [False, True])
def test_every_type_of_labels(dtype, lazy):
    top = min(int(np.iinfo(dtype).max), 2**31)
    data = np.array([[0, 1, top]], dtype)
    labels = Labels(da.from_array(data, chunks=1) if lazy else data, "YX")
    np.testing.assert_array_equal(np.asarray(examples(labels, 1).data), [[-1, 0, top]])


def test_files_of_0_and_255_are_not_taken_as_masks(tmp_path):
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        imwrite(tmp_path / folder / "a.tif", np.array([[0, 255], [255, 0]], np.uint8))
    pairs = Pairs.of((tmp_path / "images", tmp_path / "labels"))
    _, labels = replace(pairs, background=255).read(0)
    np.testing.assert_array_equal(labels.data, [[-1, 0], [0, -1]])
