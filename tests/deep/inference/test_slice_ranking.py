"""Planes ranked by uncertainty."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.deep.inference import slices_to_label_next
from napari_segment.errors import InputError, SettingError


def test_the_most_unsure_come_first_and_neighbours_are_left_out():
    doubt = np.array([0.1, 0.8, 0.9, 0.2, 0.5])[:, None, None] * np.ones((5, 4, 4))
    assert slices_to_label_next(doubt, count=2) == [2, 1]
    assert slices_to_label_next(doubt, count=9, apart=2) == [2, 4, 0]


def test_one_unsure_object_outweighs_a_little_doubt_everywhere():
    doubt = np.full((2, 20, 20), 0.2)
    doubt[1] = 0
    doubt[1, :5, :5] = 0.9
    assert slices_to_label_next(doubt, count=1) == [1]


def test_any_axis_and_dask():
    import dask.array as da

    doubt = np.zeros((4, 6, 5))
    doubt[:, 3] = 1
    assert slices_to_label_next(da.from_array(doubt, chunks=2), count=1, axis=1) == [3]


def test_what_does_not_fit_is_explained():
    with pytest.raises(SettingError, match="from 1"):
        slices_to_label_next(np.zeros((2, 2)), count=0)
    with pytest.raises(InputError, match="no axis 3"):
        slices_to_label_next(np.zeros((2, 2)), axis=3)
