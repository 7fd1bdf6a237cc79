import numpy as np
import pytest
from scipy import ndimage

from napari_segment import samples
from napari_segment.errors import InputError

AXES = {
    "nuclei": "YX",
    "cells": "ZYX",
    "two_tissues": "ZYX",
    "time_lapse": "TYX",
    "stained_tissue": "YXC",
}


@pytest.mark.parametrize("name", samples.SAMPLES)
def test_same_seed_same_pixels_on_one_grid(name):
    image, labels = samples.SAMPLES[name](seed=3)
    again, again_labels = samples.SAMPLES[name](seed=3)
    other, _ = samples.SAMPLES[name](seed=4)
    assert image.axes == AXES[name]
    assert labels.axes == image.axes.replace("C", "")
    assert labels.shape == tuple(image.size(a) for a in labels.axes)
    assert labels.spacing == image.spacing
    assert labels.unit == image.unit
    np.testing.assert_array_equal(image.data, again.data)
    np.testing.assert_array_equal(labels.data, again_labels.data)
    assert (image.data != other.data).any()


@pytest.mark.parametrize("name", ["nuclei", "cells", "stained_tissue"])
def test_truth_is_where_the_light_is(name):
    image, labels = samples.SAMPLES[name](seed=0)
    grey = image.data.mean(-1) if image.is_rgb else image.data.astype(float)
    inside, outside = grey[labels.data > 0].mean(), grey[labels.data == 0].mean()
    assert inside < 0.8 * outside if image.is_rgb else inside > 2 * outside


def test_nuclei_touch_but_are_in_one_piece():
    _, labels = samples.nuclei(seed=0)
    together = ndimage.label(labels.data > 0)[1]
    count = len(np.unique(labels.data)) - 1
    assert together < count
    pieces = [ndimage.label(labels.data == i)[1] for i in np.unique(labels.data)[1:]]
    assert set(pieces) == {1}


def test_two_tissues_need_context():
    image, labels = samples.two_tissues(seed=0)
    assert labels.names == {1: "organ", 2: "lesion"}
    assert set(np.unique(labels.data)) == {0, 1, 2}
    lesion = np.median(image.data[labels.data == 2])
    assert (image.data[labels.data == 0] > lesion).sum() > 100


def test_time_lapse_keeps_labels():
    image, labels = samples.time_lapse(seed=0)
    assert image.interval == labels.interval == 600
    for before, after in zip(labels.data, labels.data[1:], strict=False):
        for i in np.intersect1d(before[before > 0], after[after > 0]):
            move = np.subtract(
                ndimage.center_of_mass(before == i), ndimage.center_of_mass(after == i)
            )
            assert np.linalg.norm(move) < 15


def test_other_shapes():
    image, labels = samples.nuclei((33, 70), seed=1)
    assert image.shape == labels.shape == (33, 70)
    with pytest.raises(InputError, match="too small"):
        samples.nuclei((1, 70))
