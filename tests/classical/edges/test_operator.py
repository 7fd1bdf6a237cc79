"""Edge operators against scikit-image and scipy, exact shapes, symmetry, blocks and odd input."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.errors import InputError
from napari_segment.registry import filters, methods

RNG = np.random.default_rng(5)
VOLUME = RNG.integers(0, 60000, (11, 19, 23)).astype(np.uint16)
PLANE = VOLUME[4]
SMALL = ["sobel", "scharr", "prewitt", "roberts"]  # differences of direct neighbours
FIRST = [*SMALL, "farid", "gaussian_gradient"]
SECOND = ["laplace", "log", "dog"]
ALL = [*FIRST, *SECOND, "canny"]


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
