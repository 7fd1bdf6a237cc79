"""Any part of a resampled image is what scikit-image gives for the whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from skimage.transform import resize

from napari_segment.exchange.nnunet.grids.normalisation import Normaliser
from napari_segment.exchange.nnunet.grids.preprocessing import Preprocessed
from napari_segment.exchange.nnunet.grids.resampling import (
    Axis,
    grid_change,
    separate_axis,
    target_shape,
)
from napari_segment.exchange.nnunet.grids.tiles import sliding_window
from napari_segment.exchange.nnunet.reading.plans import Resampling

CUBIC = Resampling(order=3, order_z=0)


@pytest.mark.parametrize("target", [(12, 40, 20), (40, 70, 90), (9, 61, 33)])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_part_is_cut_from_the_whole(target, order):
    volume = np.random.default_rng(0).normal(size=(20, 50, 60)).astype(np.float32)
    whole = resize(volume, target, order=order, mode="edge", anti_aliasing=False, clip=False)
    change = grid_change(volume.shape, target, (1, 1, 1), (1, 1, 1), Resampling(order=order))
    view = Preprocessed(volume[None], (Normaliser(),), change)
    part = (slice(None), slice(3, 7), slice(10, 31), slice(2, 19))
    assert np.allclose(view[part], whole[None][part], atol=2e-5)
    assert np.allclose(view[(slice(None), slice(0, 2))], whole[None, :2], atol=2e-5)


def test_the_axis_of_thick_planes():
    auto = Resampling()
    assert separate_axis((5, 1, 1), (1, 1, 1), auto) == 0
    assert separate_axis((1, 1, 1), (1, 5, 1), auto) == 1
    assert separate_axis((3, 1, 1), (1, 1, 1), auto) is None  # not above 3
    assert separate_axis((0.2, 1, 1), (1, 1, 1), auto) is None  # two axes have the largest
    assert separate_axis((2, 1, 1), (1, 1, 1), Resampling(separate=True)) == 0
    assert separate_axis((9, 1, 1), (1, 1, 1), Resampling(separate=False)) is None


def test_sizes():
    assert target_shape((10, 20), (2.0, 0.5), (1.0, 1.0), CUBIC) == (20, 10)
    assert target_shape((10, 20), (2.0, 0.5), (1.0, 1.0), Resampling(identity=True)) == (10, 20)


def test_the_nearest_row():
    values = torch.arange(6.0)
    axis = Axis(6, 4, order=0)  # 0.25, 1.75, 3.25, 4.75
    assert axis.apply(values, 0, slice(0, 6), slice(0, 4)).tolist() == [0, 2, 3, 5]
    assert Axis(2, 6, 0).positions.tolist() == [0, 0, 0, 1, 1, 1]


def test_tiles_stand_at_equal_distances():
    grid = sliding_window((110, 20, 64), (64, 64, 64), 0.5, axis=0)
    assert grid.starts == ((0, 23, 46), (0,), (0,))
    assert grid.padding == (0, 22, 0)
    planes = sliding_window((3, 20, 70), (16, 64), 0.5, axis=0)
    assert planes.tile == (1, 16, 64)
    assert planes.starts == ((0, 1, 2), (0, 4), (0, 6))
    assert grid.profiles[0].argmax() == 32
    assert grid.profiles[0][24] == pytest.approx(np.exp(-0.5))  # one standard deviation: 64 / 8
