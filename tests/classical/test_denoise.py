"""Filters that spare edges, remove backgrounds or change contrast, against other code."""

from __future__ import annotations

from itertools import product

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.restoration
from skimage.exposure import equalize_adapthist
from skimage.morphology import ball, disk

from napari_segment.classical.filters import isotropic, noise_level
from napari_segment.errors import InputError, SettingError
from napari_segment.image import Image, Labels
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


@pytest.mark.parametrize("shape", [(60, 70), (20, 30, 30), (1, 60, 70)])
def test_noise_level_is_the_standard_deviation(shape):
    ramp = np.indices(shape).sum(0)
    image = 5 * ramp + RNG.normal(0, 4, shape)
    assert noise_level(image) == pytest.approx(4, rel=0.06)
    assert noise_level(ramp) == 0


@pytest.mark.parametrize("far", [1e5, 1e9, -1e20])
def test_a_voxel_far_away_does_not_move_the_noise_level(far):
    image = PLANE.copy()
    image[5, 6] = far
    assert noise_level(image) == pytest.approx(noise_level(PLANE), rel=0.1)
    assert noise_level(da.from_array(image, chunks=(7, 11))) == noise_level(image)


def test_steps_are_no_noise():
    assert noise_level(STEPS) == 0
    np.testing.assert_array_equal(filters["nonlocal_means"](STEPS), STEPS)


@pytest.mark.parametrize(("image", "shape"), [(VOLUME, ball(3)), (PLANE, disk(3))])
@pytest.mark.parametrize("objects", ["bright", "dark"])
def test_top_hat_equals_scipy_far_from_the_edge(image, shape, objects):
    sign = 1 if objects == "bright" else -1
    expected = ndi.white_tophat(sign * image, footprint=shape)
    inner = (slice(6, -6),) * image.ndim
    result = filters["top_hat"](image, radius=3.0, objects=objects)
    np.testing.assert_array_equal(result[inner], expected[inner])


def test_top_hat_of_differences_beyond_the_type_is_the_greatest_value():
    image = np.full((9, 9), -120, np.int8)
    image[4, 4] = 120
    assert filters["top_hat"](image, radius=2)[4, 4] == 127


@pytest.mark.parametrize("name", ["top_hat", "rolling_ball"])
def test_backgrounds_of_the_widest_integers(name):
    image = np.full((20, 20), np.iinfo(np.int64).min)
    image[10, 10] = np.iinfo(np.int64).max
    result = filters[name](image, radius=2.0)
    assert result[10, 10] > 0.99 * 2.0**63
    assert not np.delete(result.ravel(), 210).any()


def test_rolling_ball_is_an_opening_by_a_paraboloid():
    radius, span = 4.0, np.ptp(PLANE)
    structure = -((np.indices((9, 9)) - 4.0) ** 2).sum(0) / radius**2 * span
    expected = PLANE - ndi.grey_opening(PLANE.astype(float), structure=structure)
    result = filters["rolling_ball"](PLANE, radius=radius)
    np.testing.assert_allclose(result[8:-8, 8:-8], expected[8:-8, 8:-8], atol=0.01)


def test_rolling_ball_flattens_a_ramp_and_keeps_spots():
    y, x = np.mgrid[:60, :80]
    ramp = (2.0 * x + y).astype(np.float32)
    image = ramp.copy()
    image[30:33, 40:43] += 50
    result = filters["rolling_ball"](image, radius=30.0)
    assert result[31, 41] > 45
    assert np.median(result) < 2


def test_clahe_is_close_to_scikit_image():
    image = ndi.gaussian_filter(RNG.random((200, 200)), 3)
    image = (image - image.min()) / np.ptp(image)
    expected = equalize_adapthist(image, nbins=1024)
    assert np.corrcoef(filters["clahe"](image).ravel(), expected.ravel())[0, 1] > 0.98


def test_clahe_of_one_tile_without_limit_is_histogram_equalisation():
    result = filters["clahe"](PLANE, tiles=1, clip_limit=1.0)
    rank = PLANE.ravel().argsort().argsort().reshape(PLANE.shape) / PLANE.size
    np.testing.assert_allclose(result, rank, atol=0.01)


def test_percentiles_become_0_and_1():
    image = np.arange(101, dtype=np.uint16).reshape(1, -1)
    result = filters["percentile_normalise"](image, low=10, high=90)
    np.testing.assert_allclose(result, (image.astype(float) - 10) / 80, atol=0.01)
    clipped = filters["percentile_normalise"](image, low=10, high=90, clip=True)
    assert clipped.min() == 0
    assert clipped.max() == 1
    with pytest.raises(SettingError):
        filters["percentile_normalise"](image, low=50, high=50)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("far", [1e4, 1e7, -1e12, 1e17])
def test_a_few_values_far_away_do_not_move_percentiles(dtype, far):
    image = (RNG.random((60, 70)) * 1000).astype(dtype)
    image[3, 4], image[5, 6] = far, 2 * far
    low, high = np.percentile(image, (1, 99))
    expected = (image - low) / (high - low)
    lazy = da.from_array(image, chunks=(17, 23))
    result = filters["percentile_normalise"](image, low=1, high=99)
    near = np.abs(image) < abs(far)
    np.testing.assert_allclose(result[near], expected[near], atol=2e-3)
    again = filters["percentile_normalise"](lazy, low=1, high=99)
    np.testing.assert_array_equal(again.compute(), result)


def test_percentiles_of_one_value_leave_what_is_not_finite():
    image = np.array([[7.0, np.nan, 7.0, np.inf]])
    result = filters["percentile_normalise"](image)
    np.testing.assert_array_equal(result, [[0, np.nan, 0, np.inf]])


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.int8, np.int16, np.uint64, np.float32])
def test_inverting_twice_changes_nothing(dtype):
    image = PLANE > 50 if dtype is bool else np.clip(PLANE + 120, 0, 120).astype(dtype)
    once = filters["invert"](image)
    assert once.dtype == image.dtype
    np.testing.assert_allclose(filters["invert"](once), image, atol=1e-5)
    assert np.isclose(once.flat[image.argmax()], image.min())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("chunks", [(5, 7, 11), (14, 1, 30)])
def test_blocks_equal_the_whole(name, chunks):
    for image, cut in ((VOLUME, chunks), (PLANE.astype(np.uint16), chunks[1:])):
        lazy = filters[name](da.from_array(image, chunks=cut), **NAMES[name])
        assert isinstance(lazy, da.Array)
        expected = filters[name](image, **NAMES[name])
        assert lazy.dtype == expected.dtype
        np.testing.assert_array_equal(lazy.compute(), expected)


@pytest.mark.parametrize(
    "image",
    [np.array([[1e-8, 1, 0.25]], np.float32), np.array([[40_000, 60_000, 50_016]], np.float16)],
)
def test_inverting_keeps_small_and_great_values(image):
    expected = image.max() - image.astype(np.float64) + image.min()
    found = filters["invert"](image)
    assert found.dtype == image.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-3 if image.dtype == np.float16 else 1e-6)


def test_the_ball_sees_a_mask_as_ones():
    mask = np.random.default_rng(3).random((30, 40)) > 0.4
    found = filters["rolling_ball"](mask, radius=4.0)
    assert found.dtype == bool
    np.testing.assert_array_equal(found, filters["rolling_ball"](mask.astype(np.uint8), radius=4.0))


@pytest.mark.parametrize("name", ["top_hat", "rolling_ball"])
def test_nan_is_refused_where_order_matters(name):
    with pytest.raises(InputError, match="NaN"):
        filters[name](np.array([[1.0, np.nan]]))


# ---- cubic voxels ----


def test_resampling_keeps_linear_images_and_their_place():
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
