"""Filters that spare edges, remove backgrounds or change contrast, against other code."""

from __future__ import annotations

from itertools import product

import dask.array as da
import numpy as np
import pytest
import skimage.restoration

from napari_segment.classical.filters import noise_level
from napari_segment.registry import filters

RNG = np.random.default_rng(11)
STEPS = np.indices((14, 24, 30)).sum(0) // 20 % 2 * 100.0
VOLUME = (STEPS + RNG.normal(0, 10, STEPS.shape)).astype(np.float32)
PLANE = VOLUME[4]
BOTH = pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
NAMES = {
    "bilateral": {},
    "nonlocal_means": {"search_radius": 2},
    "total_variation": {"iterations": 8},
    "top_hat": {"radius": 3.0},
    "rolling_ball": {"radius": 6.0},
    "clahe": {"tiles": 3},
    "percentile_normalise": {},
    "invert": {},
}


@BOTH
def test_total_variation_equals_scikit_image(image):
    result = filters["total_variation"](image, weight=0.1, iterations=30)
    expected = skimage.restoration.denoise_tv_chambolle(
        image, weight=0.1 * np.ptp(image), eps=0, max_num_iter=30
    )
    np.testing.assert_allclose(result, expected, atol=2e-5 * np.ptp(image))


def test_bilateral_equals_its_formula():
    image, sigma, contrast = PLANE[:9, :10].astype(float), 1.2, 0.2
    padded = np.pad(image, 2, mode="symmetric")
    total, mass = np.zeros((2, *image.shape))
    for dy, dx in product(range(-2, 3), repeat=2):
        if np.hypot(dy, dx) > 2 * sigma:
            continue
        other = padded[2 + dy : 11 + dy, 2 + dx : 12 + dx]
        unlike = (other - image) / (contrast * np.ptp(image))
        weight = np.exp(-0.5 * ((dy**2 + dx**2) / sigma**2 + unlike**2)) * (abs(unlike) < 4)
        total, mass = total + weight * other, mass + weight
    result = filters["bilateral"](image, sigma=sigma, intensity_sigma=contrast)
    np.testing.assert_allclose(result, total / mass, atol=0.2)


@pytest.mark.parametrize(("shape", "threads"), [((7, 30, 20), 1), ((30, 7, 20), 3), ((40, 9), 2)])
def test_total_variation_goes_through_the_image_in_any_steps(shape, threads, monkeypatch):
    noisy = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    expected = filters["total_variation"](noisy, iterations=12)
    monkeypatch.setattr("napari_segment.classical.filters.denoise.threads", lambda: threads)
    for front in (1, 5, 100):
        monkeypatch.setattr("napari_segment.classical.filters.denoise._FRONT", front)
        result = filters["total_variation"](noisy, iterations=12)
        np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("name", ["bilateral", "nonlocal_means", "total_variation"])
@BOTH
def test_noise_goes_and_steps_stay(name, image):
    truth = STEPS if image.ndim == 3 else STEPS[4]
    result = filters[name](image)
    assert (result - truth).std() < 0.65 * (image - truth).std()
    assert abs(result[truth == 0].mean() - result[truth == 100].mean()) > 90


def test_nonlocal_means_is_as_good_as_scikit_image():
    noise = noise_level(PLANE)
    expected = skimage.restoration.denoise_nl_means(
        PLANE, 3, 3, h=0.8 * noise, sigma=noise, fast_mode=True
    )
    ours = (filters["nonlocal_means"](PLANE) - STEPS[4]).std()
    assert ours < 1.25 * (expected - STEPS[4]).std()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chunks", [(5, 7, 11), (14, 1, 30)])
def test_blocks_equal_the_whole(name, chunks):
    for image, cut in ((VOLUME, chunks), (PLANE.astype(np.uint16), chunks[1:])):
        lazy = filters[name](da.from_array(image, chunks=cut), **NAMES[name])
        assert isinstance(lazy, da.Array)
        expected = filters[name](image, **NAMES[name])
        assert lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)
