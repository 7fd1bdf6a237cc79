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
FIRST = ["sobel"]


@pytest.mark.parametrize("name", FIRST)
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_magnitude_equals_scikit_image(name, image):
    image = image.astype(float)
    expected = getattr(skimage.filters, name)(image) * np.sqrt(image.ndim) / 2
    np.testing.assert_allclose(filters[name](image), expected, rtol=1e-9)


@pytest.mark.parametrize("name", FIRST)
def test_the_gradient_of_a_ramp_is_its_slope_in_units(name):
    z, y, x = np.mgrid[:7, :8, :9].astype(float)
    image = 2 * (0.3 * z) - 3 * (0.5 * y) + 6 * (0.25 * x)
    spacing = (0.3, 0.5, 0.25)
    inner = (slice(2, -2),) * 3
    for response, slope in [("z", 2), ("y", -3), ("x", 6), ("magnitude", 7)]:
        result = filters[name](image, spacing, response=response)[inner]
        np.testing.assert_allclose(result, slope, rtol=1e-6)


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
    assert (mask != (magnitude > limit)).mean() < 0.002  # our limit is the bin's upper edge


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


@pytest.mark.parametrize("name", [*FIRST, "canny"])
@pytest.mark.parametrize("image", [VOLUME, PLANE], ids=["3d", "2d"])
def test_masks_turn_with_the_image(name, image):
    image = (image // 16384).astype(np.uint8)
    settings = {"sigma": 0} if name == "canny" else {}
    mask = methods[name](image, **settings)
    for turn in flips_and_turns(image):
        np.testing.assert_array_equal(methods[name](turn(image), **settings), turn(mask))


@pytest.mark.parametrize("chunks", [(4, 7, 11), (1, 19, 5), (11, 1, 23)])
@pytest.mark.parametrize(
    ("registry", "name", "settings"),
    [
        (filters, "sobel", {}),
        (filters, "sobel", {"response": "z"}),
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


@pytest.mark.parametrize("name", [*FIRST, "canny"])
@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (1, 1, 1), (1, 7, 9), (9, 8), (4, 0, 2)])
def test_constant_and_small_arrays_have_no_edges(name, shape):
    for dtype in (bool, np.uint8, np.uint16, np.float32, np.int64):
        mask = methods[name](np.ones(shape, dtype))
        assert mask.dtype == bool
        assert mask.shape == shape
        assert not mask.any()


@pytest.mark.parametrize("name", [*FIRST, "canny"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_no_edge_is_marked_where_values_are_not_finite(name, bad):
    image = PLANE.astype(np.float32)
    clean = methods[name](image)
    image[3, 4] = bad
    mask = methods[name](image)
    assert mask.any()
    assert not mask[2:5, 3:6].any() or not np.isfinite(bad)
    assert (mask != clean)[:, 14:].mean() < 0.1
    nothing = methods[name](np.full((5, 5), bad))
    assert not nothing.any()


@pytest.mark.parametrize("name", [*FIRST, "canny"])
@pytest.mark.parametrize("image", [np.ones((3, 3), complex), np.ones((3, 3), object), np.ones(4)])
def test_what_is_no_image_is_refused(name, image):
    with pytest.raises(InputError):
        methods[name](image)
