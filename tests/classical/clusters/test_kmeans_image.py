"""The clustered image."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data

from napari_segment.registry import filters, methods

kmeans = methods["kmeans"]


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.moveaxis(data.astronaut()[::4, ::4], -1, 0).copy()


painted = filters["kmeans_image"]


@pytest.mark.parametrize("features", ["channels", "lab"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_every_voxel_shows_the_mean_of_its_cluster(
    features: str, dtype: type, photograph: np.ndarray
) -> None:
    image = (photograph[:, :40, :40] / (255 if dtype is np.float32 else 1)).astype(dtype)
    labels = kmeans(image, clusters=4, features=features)
    result = painted(image, clusters=4, features=features)
    assert (result.dtype, result.shape) == (image.dtype, image.shape)
    for k in range(4):
        mean = image[:, labels == k].astype(float).mean(1)
        expected = np.rint(mean) if dtype is np.uint8 else mean
        np.testing.assert_allclose(result[:, labels == k].T, [expected] * (labels == k).sum(),
                                   rtol=1e-4)  # fmt: skip
    lazy = painted(da.from_array(image, chunks=(2, 13, 40)), clusters=4, features=features)
    np.testing.assert_array_equal(lazy.compute(), result)


def test_nan_stays_in_the_clustered_image() -> None:
    image = np.array([[[0.0, 0.0, np.nan, 1.0]]])
    np.testing.assert_allclose(painted(image, clusters=2), image)
