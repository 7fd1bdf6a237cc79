"""Resampling to cubic voxels."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest

from napari_segment.classical.filters import isotropic
from napari_segment.errors import SettingError
from napari_segment.image import Image, Labels

RNG = np.random.default_rng(11)


def test_resampling_keeps_linear_images_and_their_position():
    z, y, x = np.mgrid[:5, :8, :9].astype(float)
    image = Image(3 * z + y - 2 * x, spacing=(2.0, 0.5, 1.0), unit="micrometer")
    result = isotropic(image)
    assert result.shape == (17, 8, 17)
    assert result.spacing == (0.5, 0.5, 0.5)
    z, y, x = np.indices(result.shape) * 0.5
    np.testing.assert_allclose(result.data, 3 * z / 2 + y / 0.5 - 2 * x)
    lazy = isotropic(image.replace(data=da.from_array(image.data, chunks=(2, 3, 4))))
    np.testing.assert_allclose(lazy.data.compute(), result.data)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_voxels_that_stay_take_no_part_of_the_next(bad):
    image = Image(np.array([[1.0, 2.0, 3.0, bad, 5.0, 6.0]]), spacing=(1.0, 0.3))
    result = isotropic(image, 0.1).data[0]
    np.testing.assert_array_equal(np.flatnonzero(~np.isfinite(result)), np.arange(7, 12))
    np.testing.assert_allclose(result[::3], image.data[0])


def test_resampling_moves_the_affine_along():
    affine = np.array([[0, 0, 2.0, 5], [0, 1, 0, 6], [-4.0, 0, 0, 7], [0, 0, 0, 1]])
    result = isotropic(Image(np.zeros((3, 4, 5)), affine=affine))
    assert result.spacing == (1, 1, 1)
    np.testing.assert_allclose(np.linalg.norm(result.affine[:3, :3], axis=0), 1)
    np.testing.assert_array_equal(result.affine[:, 3], affine[:, 3])


def test_resampled_labels_are_labels():
    labels = Labels(RNG.integers(0, 5, (4, 6, 6)) * 50, spacing=(3.0, 1.0, 1.0))
    result = isotropic(labels, 0.7)
    assert set(np.unique(result.data)) <= set(np.unique(labels.data))
    assert result.data.dtype == labels.data.dtype
    np.testing.assert_array_equal(isotropic(labels, 3.0).data[1], labels.data[1, ::3, ::3])


def test_a_needlessly_fine_spacing_is_refused():
    with pytest.raises(SettingError, match="voxels"):
        isotropic(Image(np.zeros((4, 4))), 1e-6)
