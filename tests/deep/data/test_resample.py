"""Resampling between voxel grids."""

import numpy as np
import pytest

from napari_segment.deep.data.resample import nearest_rows, resample
from napari_segment.deep.planning.slabs import slabs


def stack(shape=(24, 20, 22)):
    rng = np.random.default_rng(0)
    image = rng.normal(100, 20, shape).astype(np.float32)
    labels = rng.choice(np.array([0, 3, 7], np.uint8), shape)
    return image, labels


@pytest.mark.parametrize("shape", [(24, 20, 22), (11, 20, 9), (50, 31, 22)])
def test_rows_of_resampled_labels_are_those_of_the_whole(shape):
    labels = stack()[1]
    whole = resample(labels, shape, order=0)
    rows = [nearest_rows(labels, shape, r) for r in slabs(shape, 3 * shape[1] * shape[2])]
    np.testing.assert_array_equal(np.concatenate(rows), whole)
