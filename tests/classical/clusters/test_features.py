"""Features of voxels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter
from skimage import color, data

from napari_segment.classical.clusters._colours import lab
from napari_segment.classical.clusters.features import channel_features, texture_features
from napari_segment.errors import InputError
from napari_segment.registry import methods

kmeans = methods["kmeans"]


@pytest.fixture(scope="module")
def photograph() -> np.ndarray:
    return np.moveaxis(data.astronaut()[::4, ::4], -1, 0).copy()


def test_codes_do_not_depend_on_the_order_of_bytes(photograph: np.ndarray) -> None:
    image = photograph.astype("<u2")
    codes, swapped = channel_features(image).codes, channel_features(image.astype(">u2")).codes
    assert all(code.dtype == np.uint16 for code in codes)
    np.testing.assert_array_equal(swapped, codes)


@pytest.mark.parametrize(
    "shape", [(2048, 2048), (1, 2048, 2048), (2, 700, 900), (1, 1, 9999), (64, 64, 64), (3, 1, 7)]
)
def test_as_many_voxels_are_sampled_of_thin_stacks(shape: tuple[int, ...]) -> None:
    """All distances between them are computed, so twice as many take four times the memory."""
    voxels = int(np.prod(shape))
    sampled = channel_features(np.zeros((1, *shape), np.uint8)).sample(2000).shape[1]
    assert min(voxels, 1000) <= sampled <= 2000


@given(st.lists(st.integers(1, 60), min_size=1, max_size=3), st.integers(8, 500))
@settings(deadline=None, max_examples=200)
def test_flipping_and_turning_an_image_flips_and_turns_its_sample(
    shape: list[int], size: int
) -> None:
    numbers = np.arange(np.prod(shape)).reshape(shape).astype(np.uint16)
    sample = np.sort(channel_features(numbers[None]).sample(size)[0])
    assert 0 < len(sample) <= size
    for axis in range(len(shape)):
        flipped = channel_features(np.flip(numbers, axis)[None]).sample(size)[0]
        np.testing.assert_array_equal(np.sort(flipped), sample)
    np.testing.assert_array_equal(
        np.sort(channel_features(numbers.T[None]).sample(size)[0]), sample
    )


def test_colours_need_three_channels() -> None:
    with pytest.raises(InputError, match="red, green and blue"):
        kmeans(np.zeros((2, 4, 4)), features="lab")
    with pytest.raises(InputError, match=r"channels \(indices=0,1,2\), or use features="):
        kmeans(np.zeros((4, 4, 4), np.uint8), features="lab")
    with pytest.raises(InputError, match="real numbers"):
        kmeans(np.zeros((1, 4, 4), complex))


@pytest.mark.parametrize("features", ["hsv", "lab"])
@pytest.mark.parametrize("entry", ["kmeans", "gaussian_mixture"])
def test_white_is_detected_in_every_type(entry: str, features: str, photograph: np.ndarray) -> None:
    settings = {"clusters": 4, "features": features}
    expected = methods[entry](photograph, **settings)
    eight, twelve = photograph.astype(np.float32), photograph.astype(np.uint16) * 16
    for same in (eight, eight / 255, photograph.astype(np.int64), twelve):
        assert (methods[entry](same, **settings) == expected).mean() > 0.95
    truth = kmeans(photograph > 128, **settings)
    np.testing.assert_array_equal(truth, kmeans((photograph > 128).astype(np.float32), **settings))


def test_texture_is_the_standard_deviation_around() -> None:
    image = data.camera()[::8, ::8]
    features = texture_features(image, 2, 1.0)
    mean = uniform_filter(image.astype(float), 5, mode="reflect")
    spread = np.sqrt(uniform_filter(image.astype(float) ** 2, 5, mode="reflect") - mean**2)
    np.testing.assert_allclose(features.codes[0] * features.weights[0], spread, atol=2e-3)


def test_lab_like_scikit_image() -> None:
    rgb = data.astronaut()[::16, ::16] / 255
    ours = np.stack([lab(*np.moveaxis(rgb, -1, 0), axis) for axis in range(3)], -1)
    np.testing.assert_allclose(ours, color.rgb2lab(rgb), atol=2e-3)
