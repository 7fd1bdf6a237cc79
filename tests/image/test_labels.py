"""Labels are whole numbers."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Labels


def test_labels_are_integers():
    assert Labels(np.ones((2, 2), bool)).dtype == np.uint8
    whole = Labels(np.array([[0.0, 1.0], [2.0, 300.0]]))
    assert whole.dtype == np.uint16
    assert np.asarray(whole)[1, 1] == 300
    with pytest.raises(InputError, match="whole numbers"):
        Labels(np.array([[0.5, 1]]))
    with pytest.raises(InputError, match="no channel axis"):
        Labels(np.zeros((1, 2, 2), int), "CYX")


@pytest.mark.parametrize("wrong", [0.5, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("lazy", [False, True])
def test_floats_that_are_no_labels_are_refused(wrong, lazy):
    def labels(corner):
        data = np.array([[corner, 1.0], [0.0, 70000.0]])
        return Labels(da.from_array(data, chunks=1) if lazy else data)

    assert np.asarray(labels(3.0)).tolist() == [[3, 1], [0, 70000]]
    with pytest.raises(InputError, match="whole numbers from 0"):
        np.asarray(labels(wrong))
