"""Gaussian mixture."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
from skimage import data
from sklearn.mixture import GaussianMixture

from napari_segment.registry import methods

kmeans = methods["kmeans"]


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.moveaxis(data.astronaut()[::4, ::4], -1, 0).copy()


mixture = methods["gaussian_mixture"]


def test_mixture_finds_a_narrow_cluster_in_a_wide_one() -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((80, 100)) < 0.2
    image = np.where(truth, rng.normal(160, 2, truth.shape), rng.normal(100, 25, truth.shape))
    image = image.clip(0, 255).astype(np.uint8)[None]
    narrow = mixture(image, clusters=2) == 1
    assert (narrow == truth).mean() > 0.95
    assert ((kmeans(image, clusters=2) == 1) == truth).mean() < 0.9


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_mixture_finds_clusters_of_a_few_levels(channels: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.random((80, 80)) < 0.15
    wide, narrow = (rng.normal(m, s, (channels, 80, 80)) for m, s in ((110, 30), (170, 1)))
    image = np.where(truth, narrow, wide).clip(0, 255).astype(np.uint8)
    assert ((mixture(image, clusters=2) == 1) == truth).mean() > 0.99


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_mixture_like_scikit_learn(channels: int) -> None:
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, (50, 60))
    spreads = np.array([1.0, 3.0, 2.0])[truth]
    image = 10 * truth + spreads * rng.normal(size=(channels, 50, 60)) + 30
    ours = mixture(image.astype(np.float32), clusters=3, tolerance=1e-9)
    theirs = GaussianMixture(3, means_init=[[30] * channels, [40] * channels, [50] * channels])
    expected = theirs.fit_predict(image.reshape(channels, -1).T).reshape(truth.shape)
    assert (ours == expected).mean() > 0.995


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("features", ["channels", "lab"])
def test_mixture_on_blocks(dtype: type, features: str, photograph: np.ndarray) -> None:
    image = (photograph[:, :50, :50] / (255 if dtype is np.float32 else 1)).astype(dtype)
    lazy = mixture(da.from_array(image, chunks=(1, 13, 50)), features=features)
    np.testing.assert_array_equal(lazy.compute(), mixture(image, features=features))


@pytest.mark.parametrize("image", [np.zeros((2, 0, 3)), np.full((1, 3, 3), np.nan),
                                   np.full((3, 4, 4), 9, np.uint8)])  # fmt: skip
def test_mixture_of_nothing(image: np.ndarray) -> None:
    assert not mixture(image).any()
