"""Edge operators against scikit-image and scipy, exact shapes, symmetry, blocks and odd input."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi
import skimage.filters

from napari_segment.errors import InputError, SettingError
from napari_segment.registry import filters, methods

RNG = np.random.default_rng(5)
VOLUME = RNG.integers(0, 60000, (11, 19, 23)).astype(np.uint16)
PLANE = VOLUME[4]
SMALL = ["sobel", "scharr", "prewitt", "roberts"]  # differences of direct neighbours
FIRST = [*SMALL, "farid", "gaussian_gradient"]
SECOND = ["laplace", "log", "dog"]
ALL = [*FIRST, *SECOND, "canny"]


@pytest.mark.parametrize("name", ["sobel", "scharr", "prewitt"])
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_magnitude_equals_scikit_image(name, image):
    image = image.astype(float)
    expected = getattr(skimage.filters, name)(image) * np.sqrt(image.ndim) / 2
    np.testing.assert_allclose(filters[name](image), expected, rtol=1e-9)


def test_farid_equals_scikit_image():
    expected = skimage.filters.farid(PLANE.astype(float)) * np.sqrt(2)
    np.testing.assert_allclose(filters["farid"](PLANE), expected, rtol=1e-5)


def test_roberts_equals_scikit_image():
    expected = skimage.filters.roberts(PLANE.astype(float))
    np.testing.assert_allclose(filters["roberts"](PLANE), expected, rtol=1e-5)


def test_roberts_in_space_fits_the_four_diagonals():
    cube = RNG.random((2, 2, 2))
    diagonals = np.array([(1, 1, 1), (1, 1, -1), (1, -1, 1), (1, -1, -1)])
    ends = [(tuple((d + 1) // 2), tuple((1 - d) // 2)) for d in diagonals]
    differences = [cube[a] - cube[b] for a, b in ends]
    expected = np.linalg.lstsq(diagonals, differences, rcond=None)[0]
    found = [filters["roberts"](cube, response=axis)[0, 0, 0] for axis in "zyx"]
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_directed_responses_equal_scipy(axis):
    expected = ndi.sobel(VOLUME.astype(float), axis) / 32
    np.testing.assert_allclose(filters["sobel"](VOLUME, response="zyx"[axis]), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "sigma"), [("gaussian_gradient", 1.5), ("log", 2.0), ("dog", 1.5)]
)
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_gaussian_derivatives_equal_scipy(name, sigma, image):
    image = image.astype(float)
    expected = {
        "gaussian_gradient": lambda: ndi.gaussian_gradient_magnitude(image, sigma),
        "log": lambda: ndi.gaussian_laplace(image - image.mean(), sigma),
        "dog": lambda: ndi.gaussian_filter(image, sigma) - ndi.gaussian_filter(image, 1.6 * sigma),
    }[name]()
    result = filters[name](image, sigma=sigma)
    np.testing.assert_allclose(result, expected, atol=0.003 * abs(expected).max())


def test_laplace_equals_scipy():
    np.testing.assert_allclose(
        filters["laplace"](VOLUME), ndi.laplace(VOLUME.astype(float)), atol=0.1
    )


@pytest.mark.parametrize("name", ["laplace", "log"])
def test_the_laplacian_of_a_parabola_is_its_curvature_in_units(name):
    z, y, x = np.mgrid[:21, :31, :41].astype(float) - 10
    image = 1.5 * (0.5 * z) ** 2 - 2 * (0.25 * y) ** 2 + 4 * (0.2 * x) ** 2
    settings = {} if name == "laplace" else {"sigma": 0.4}
    result = filters[name](image, (0.5, 0.25, 0.2), **settings)
    np.testing.assert_allclose(result[9:12, 10:20, 10:30], 2 * (1.5 - 2 + 4))


@pytest.mark.parametrize("name", SECOND)
def test_zero_crossings_outline_a_disc(name):
    y, x = np.mgrid[:80, :90]
    distance = np.hypot(y - 40, x - 45)
    disc = np.clip(25.5 - distance, 0, 1) * 100
    smooth = ndi.gaussian_filter(disc, 1.5)
    mask = methods[name](smooth)
    assert mask.sum() > 2 * np.pi * 25 * 0.8
    np.testing.assert_allclose(distance[mask], 25, atol=1.3)
    assert abs(distance[mask].mean() - 25) < 0.25
    assert ndi.binary_fill_holes(mask)[40, 45]


@pytest.mark.parametrize("name", FIRST)
def test_the_gradient_of_a_ramp_is_its_slope_in_units(name):
    z, y, x = np.mgrid[:17, :18, :29].astype(float)
    image = 2 * (0.3 * z) - 3 * (0.5 * y) + 6 * (0.25 * x)
    spacing = (0.3, 0.5, 0.25)
    inner = (slice(5, -5),) * 3
    for response, slope in [("z", 2), ("y", -3), ("x", 6), ("magnitude", 7)]:
        settings = {"sigma": 0.3} if name == "gaussian_gradient" else {}
        result = filters[name](image, spacing, response=response, **settings)[inner]
        np.testing.assert_allclose(result, slope, rtol=0.01 if name == "farid" else 1e-6)


@pytest.mark.parametrize("name", FIRST)
def test_mask_by_value_and_percentile(name):
    magnitude = filters[name](PLANE)
    by_value = methods[name](PLANE, threshold="value", value=9000)
    np.testing.assert_array_equal(by_value, magnitude > 9000)
    by_percentile = methods[name](PLANE, threshold="percentile", percentile=80)
    assert abs(by_percentile.mean() - 0.2) < 0.01


@pytest.mark.parametrize("name", FIRST)
def test_otsu_mask_equals_scikit_image_on_the_same_bins(name):
    magnitude = filters[name](PLANE)
    counts, edges = np.histogram(magnitude, 4096, (0, magnitude.max()))
    centres = (edges[1:] + edges[:-1]) / 2
    limit = skimage.filters.threshold_otsu(hist=(counts, centres))
    mask = methods[name](PLANE)
    assert (mask != (magnitude > limit)).mean() < 0.005  # our limit is the bin's upper edge


def test_a_plane_has_no_z_response():
    with pytest.raises(SettingError, match="plane"):
        filters["sobel"](PLANE, response="z")


def test_settings_of_methods_come_from_filter_and_threshold():
    entry = methods["sobel"]
    assert list(entry.settings.model_fields) == ["response", "threshold", "percentile", "value"]
    assert all(f.description for f in entry.settings.model_fields.values())
    assert entry.help == "Mark voxels at which the Sobel gradient is large."
    assert "spacing" in entry.data


def flips_and_turns(image):
    for axis in range(image.ndim):
        yield lambda a, axis=axis: np.flip(a, axis)
    yield lambda a: np.rot90(a, axes=(-2, -1))
    yield lambda a: np.swapaxes(a, 0, -1)


@pytest.mark.parametrize("name", ["sobel", "laplace", "canny"])
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_masks_turn_with_the_image(name, image):
    image = (image // 16384).astype(np.uint8)
    settings = {"sigma": 0} if name == "canny" else {}
    mask = methods[name](image, **settings)
    for turn in flips_and_turns(image):
        np.testing.assert_array_equal(methods[name](turn(image), **settings), turn(mask))


@pytest.mark.parametrize("name", [n for n in ALL if n not in ("roberts", "canny")])
def test_responses_turn_with_the_image(name):
    response = filters[name](VOLUME)
    for turn in flips_and_turns(VOLUME):
        np.testing.assert_allclose(filters[name](turn(VOLUME)), turn(response), atol=0.05)


@pytest.mark.parametrize("name", ["sobel", "farid", "gaussian_gradient", "log", "dog", "laplace"])
def test_flips_agree_to_the_last_bit(name):
    image = VOLUME / np.float32(7)
    for axis in range(3):
        flipped = filters[name](np.flip(image, axis))
        np.testing.assert_array_equal(flipped, np.flip(filters[name](image), axis))


@pytest.mark.parametrize("chunks", [(4, 7, 11), (1, 19, 5), (11, 1, 23)])
@pytest.mark.parametrize(
    ("registry", "name", "settings"),
    [
        (filters, "sobel", {}),
        (filters, "sobel", {"response": "z"}),
        (filters, "roberts", {}),
        (filters, "farid", {}),
        (filters, "gaussian_gradient", {"response": "x", "sigma": 2}),
        (methods, "gaussian_gradient", {}),
        (methods, "laplace", {}),
        (methods, "log", {}),
        (methods, "dog", {}),
        (methods, "sobel", {}),
        (methods, "sobel", {"threshold": "percentile"}),
        (methods, "canny", {}),
        (methods, "canny", {"low": 0.3, "high": 0.7}),
    ],
)
def test_blocks_equal_the_whole(registry, name, settings, chunks):
    image = ndi.gaussian_filter(VOLUME, 1)
    spacing = (2.0, 0.7, 1.0)
    result = registry[name](da.from_array(image, chunks=chunks), spacing, **settings)
    np.testing.assert_array_equal(np.asarray(result), registry[name](image, spacing, **settings))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 1, 1), (1, 7, 9), (9, 8), (4, 0, 2)])
def test_constant_and_small_arrays_have_no_edges(name, shape):
    for dtype in (bool, np.uint8, np.uint16, np.float32, np.int64):
        mask = methods[name](np.ones(shape, dtype))
        assert mask.dtype == bool
        assert mask.shape == shape
        assert not mask.any()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_edge_is_marked_where_values_are_not_finite(name, bad):
    image = PLANE.astype(np.float32)
    clean = methods[name](image)
    image[3, 4] = bad
    mask = methods[name](image)
    assert mask.any()
    if name != "canny":
        assert not mask[~np.isfinite(filters[name](image))].any()
    if name in FIRST:
        marked = methods[name](image, response="x", threshold="value")
        assert not marked[~np.isfinite(filters[name](image, response="x"))].any()
    assert (mask != clean)[:, 14:].mean() < 0.1
    nothing = methods[name](np.full((5, 5), bad))
    assert not nothing.any()


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("image", [np.ones((3, 3), complex), np.ones((3, 3), object), np.ones(4)])
def test_what_is_no_image_is_refused(name, image):
    with pytest.raises(InputError):
        methods[name](image)
