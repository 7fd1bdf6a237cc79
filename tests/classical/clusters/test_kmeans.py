"""k-means: optimal in one dimension, as good as scikit-learn in several, the same on blocks."""

from __future__ import annotations

from itertools import combinations

import dask.array as da
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage import data
from sklearn.cluster import KMeans

import napari_segment as ns
from napari_segment.registry import methods

kmeans = methods["kmeans"]


def inertia(features: np.ndarray, clusters: np.ndarray) -> float:
    """Of features (C, *S) to the means of their clusters."""
    points, names = features.reshape(len(features), -1).astype(float), clusters.ravel()
    return sum(
        float(((points[:, names == k] - points[:, names == k].mean(1, keepdims=True)) ** 2).sum())
        for k in np.unique(names)
    )


def best_in_one_dimension(values: np.ndarray, k: int) -> float:
    levels = np.unique(values)
    least = np.inf
    for cut in combinations(levels[1:], min(k, len(levels)) - 1):
        names = np.searchsorted(cut, values, side="right")
        least = min(least, inertia(values[None], names))
    return least


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.moveaxis(data.astronaut()[::4, ::4], -1, 0).copy()


@given(arrays(np.uint8, (3, 4), elements=st.integers(0, 30)), st.integers(1, 4))
@settings(deadline=None, max_examples=60)
def test_one_channel_is_globally_optimal(image: np.ndarray, k: int) -> None:
    result = kmeans(image[None], clusters=k)
    assert inertia(image[None], result) == pytest.approx(best_in_one_dimension(image, k), abs=1e-6)


@pytest.mark.parametrize("dtype", [np.int32, np.uint64, np.float64])
@pytest.mark.parametrize("texture", [0.0, 1.0])
def test_intensity_keeps_small_steps_far_from_zero(
    dtype: type, texture: float, photograph: np.ndarray
) -> None:
    settings = {"clusters": 4, "features": "intensity", "texture_weight": texture}
    far = (photograph.astype(dtype) + 10**9).astype(dtype)
    same = kmeans(far, **settings) == kmeans(photograph, **settings)
    assert same.mean() > 0.98


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_one_channel_is_never_above_scikit_learn(dtype: type) -> None:
    image = data.camera()[::4, ::4].astype(dtype)
    ours = inertia(image[None], kmeans(image[None], clusters=5))
    theirs = KMeans(5, n_init=3, random_state=0).fit(image.reshape(-1, 1).astype(float))
    assert ours <= theirs.inertia_ * (1 + 1e-6)


@pytest.mark.parametrize("k", [2, 5, 8])
def test_colours_are_as_good_as_the_best_of_ten_starts(photograph: np.ndarray, k: int) -> None:
    points = photograph.reshape(3, -1).T.astype(float)
    theirs = KMeans(k, n_init=10, random_state=0).fit(points).inertia_
    assert inertia(photograph, kmeans(photograph, clusters=k)) <= theirs * 1.005


@pytest.mark.parametrize("channels", [2, 3])
@pytest.mark.parametrize("k", [3, 5, 8])
def test_few_bright_voxels_do_not_hide_the_others(
    channels: int, k: int, photograph: np.ndarray
) -> None:
    """They stretch the range, so that nearly all voxels lie in one cell of the summary."""
    image = photograph[:channels].astype(np.uint16)
    image[:, 10:12, 10:12] = 65_535
    points = image.reshape(channels, -1).T.astype(float)
    theirs = KMeans(k, n_init=3, random_state=0).fit(points).inertia_
    assert inertia(image, kmeans(image, clusters=k)) <= theirs * 1.005
    lazy = kmeans(da.from_array(image, chunks=(1, 31, 50)), clusters=k)
    np.testing.assert_array_equal(lazy.compute(), kmeans(image, clusters=k))


def test_clusters_are_numbered_from_dark_to_bright(photograph: np.ndarray) -> None:
    result = kmeans(photograph, clusters=6)
    means = [photograph.mean(0)[result == k].mean() for k in range(6)]
    assert result.dtype == np.uint8
    assert means == sorted(means)


@pytest.mark.parametrize("features", ["channels", "intensity", "hsv", "lab"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(("position", "texture"), [(0.0, 0.0), (0.5, 0.0), (0.0, 2.0)])
def test_any_chunking_gives_the_same(
    features: str, dtype: type, position: float, texture: float, photograph: np.ndarray
) -> None:
    image = photograph[:, :64, :64].astype(dtype)
    image = image / np.float32(255) if dtype is np.float32 else image
    settings = {
        "clusters": 4,
        "features": features,
        "position_weight": position,
        "texture_weight": texture,
    }
    lazy = kmeans(da.from_array(image, chunks=(2, 17, 64)), (1.0, 2.0), **settings)
    np.testing.assert_array_equal(lazy.compute(), kmeans(image, (1.0, 2.0), **settings))


def test_many_features_are_sampled_and_refined() -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 3, (20, 30, 40))
    image = truth * 10 + rng.normal(size=(5, 20, 30, 40)).astype(np.float32)
    np.testing.assert_array_equal(kmeans(image, clusters=3), truth)
    lazy = kmeans(da.from_array(image, chunks=(5, 7, 30, 13)), clusters=3)
    np.testing.assert_array_equal(lazy.compute(), truth)


@pytest.mark.parametrize("entry", ["kmeans", "gaussian_mixture"])
@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_flips_and_turns_commute(entry: str, channels: int) -> None:
    rng = np.random.default_rng(channels)
    image = rng.normal(100, 20, (channels, 300, 260)).clip(0, 255).astype(np.uint16)
    image[:, 40:90, 50:200] += 60
    image[:, 3, 5] = 65_535  # nearly all others lie in one cell of a summary
    result = methods[entry](image, clusters=3)
    for flip in ((slice(None, None, -1), slice(None)), (slice(None), slice(None, None, -1))):
        np.testing.assert_array_equal(methods[entry](image[:, *flip], clusters=3), result[flip])
    turned = methods[entry](np.rot90(image, axes=(1, 2)), clusters=3)
    np.testing.assert_array_equal(turned, np.rot90(result))


@pytest.mark.parametrize("selection", ["elbow", "silhouette"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_number_of_clusters_is_estimated(selection: str, channels: int) -> None:
    rng = np.random.default_rng(0)
    truth = rng.integers(0, 4, (60, 60))
    image = (truth * 50 + rng.normal(0, 4, (channels, 60, 60)) + 20).astype(np.uint8)
    assert kmeans(image, clusters=9, selection=selection).max() + 1 == 4


def test_nan_is_background() -> None:
    image = np.zeros((3, 4, 4), np.float32)
    image[:, 2:] = 1
    image[1, 3, 3] = np.nan
    result = kmeans(image, clusters=2)
    assert result[3, 3] == 0
    assert result[2].all()
    assert not result[:2].any()
    assert kmeans(image[1:2], clusters=2)[3, 3] == 0


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 3), np.uint8),
        np.full((4, 4), np.nan),
        np.full((4, 4), 7, np.uint16),
        np.full((4, 4), -2.5),
        np.ones((1, 1), bool),
    ],
    ids=["empty", "all NaN", "constant", "constant float", "one pixel"],
)
def test_what_has_one_cluster_is_background(channels: int, image: np.ndarray) -> None:
    result = kmeans(np.stack([image] * channels), clusters=3)
    assert result.shape == image.shape
    assert not result.any()


def test_seed_repeats(photograph: np.ndarray) -> None:
    first, second = (kmeans(photograph, clusters=5, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_position_cuts_a_uniform_image_in_space() -> None:
    image = np.zeros((1, 8, 40), np.uint8)
    image[0, ::2] = 1
    result = kmeans(image, (1.0, 1.0), clusters=2, position_weight=10.0)
    assert len(np.unique(result[:, :18])) == 1
    assert result[0, 0] != result[0, -1]


@pytest.mark.parametrize("features", ["channels", "lab"])
def test_position_weighs_alike_in_every_type(features: str, photograph: np.ndarray) -> None:
    """Of 12 bits in 16 the range is that of the values, not of the type."""
    settings = {"clusters": 4, "position_weight": 0.5, "features": features}
    image = photograph // 16
    expected = kmeans(image, (1.0, 2.0), **settings)
    images = [image.astype(np.float32) / 255] if features == "lab" else [
        image.astype(np.uint16), image * np.uint16(16), image.astype(np.float32)
    ]  # fmt: skip
    for same in images:
        assert (kmeans(same, (1.0, 2.0), **settings) == expected).mean() > 0.97
    holes = images[-1].copy()
    holes[:, :5, :5] = np.nan
    assert (kmeans(holes, (1.0, 2.0), **settings) == expected)[5:].mean() > 0.97


def test_texture_tells_rough_from_smooth() -> None:
    image = np.full((1, 40, 60), 100, np.uint8)
    image[0, :, 30:] += (np.indices((40, 30)).sum(0) % 2 * 40 - 20).astype(np.uint8)
    rough = (
        kmeans(image, clusters=2, texture_weight=100.0)
        != kmeans(image, clusters=2, texture_weight=100.0)[0, 0]
    )
    assert not rough[:, :27].any()
    assert rough[:, 33:].all()


@pytest.mark.parametrize("axes", ["TYX", "TZYX"])
def test_time_points_taken_together_have_no_texture_in_common(axes: str) -> None:
    rng = np.random.default_rng(0)
    still = rng.integers(90, 110, (3, 5, 20, 30)[-len(axes) + 1 :]).astype(np.uint8)
    still[..., 15:] += rng.integers(0, 90, still[..., 15:].shape).astype(np.uint8)
    blinking = np.stack([still, 255 - still, still])  # alike within time points, not between them
    settings = {"axes": axes, "clusters": 2, "texture_weight": 100.0}
    result = np.asarray(ns.segment(blinking, "kmeans", apply_to="stack", **settings))
    np.testing.assert_array_equal(result[0], result[1])
    rough = result != result[..., :1]
    assert not rough[..., :12].any()
    assert rough[..., 18:].mean() > 0.9
    lazy = ns.segment(da.from_array(blinking, chunks=7), "kmeans", apply_to="stack", **settings)
    np.testing.assert_array_equal(np.asarray(lazy), result)
