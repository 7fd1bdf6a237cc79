"""OpenCV as a further oracle: the same definitions, or the same up to what is said here."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.ndimage as ndi

import napari_segment as ns
from napari_segment.blocks import label
from napari_segment.classical.edges import canny, scharr, sobel
from napari_segment.classical.filters import gaussian, median
from napari_segment.registry import methods


def noise(shape=(61, 74), dtype="float32", top=255):
    return (np.random.default_rng(0).random(shape) * top).astype(dtype)


@pytest.fixture(params=["noise", pytest.param("nuclei", marks=pytest.mark.realdata)])
def image(request):
    """Noise, and a real image of nuclei where there is one."""
    if request.param == "noise":
        return noise(dtype="uint8")
    root: Path = request.getfixturevalue("real_data")
    path = min((root / "dsb2018" / "images").glob("*.png"))
    seen = np.asarray(ns.read(path).data)
    return np.ascontiguousarray(seen[..., 0] if seen.ndim == 3 else seen)


@pytest.mark.parametrize("sigma", [0.7, 1.0, 2.5])
def test_gaussian_is_opencv_s_cut_at_four_sigma(image, sigma):
    side = 2 * int(4 * sigma + 0.5) + 1
    expected = cv2.GaussianBlur(
        image.astype(np.float32), (side, side), sigma, borderType=cv2.BORDER_REFLECT
    )
    np.testing.assert_allclose(gaussian(image, sigma=sigma), expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize(
    ("ours", "theirs", "weight"), [(sobel, cv2.Sobel, 8), (scharr, cv2.Scharr, 32)]
)
def test_gradients_are_opencv_s_per_pixel(image, ours, theirs, weight):
    more = {"ksize": 3} if theirs is cv2.Sobel else {}
    for axis, (dx, dy) in {"x": (1, 0), "y": (0, 1)}.items():
        expected = theirs(
            image.astype(np.float32), cv2.CV_32F, dx, dy, borderType=cv2.BORDER_REFLECT, **more
        )
        np.testing.assert_allclose(ours(image, response=axis), expected / weight, atol=2e-4)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("size", [3, 5])
def test_median_is_opencv_s_inside(dtype, size):
    """At the border OpenCV repeats the edge (a a|a b c), where we mirror (b a|a b c)."""
    image = noise(dtype=dtype, top=60_000 if dtype == "uint16" else 255)
    inner = (slice(size // 2, -(size // 2)),) * 2
    np.testing.assert_array_equal(
        median(image, size=size)[inner], cv2.medianBlur(image, size)[inner]
    )


def test_canny_is_opencv_s_but_for_its_four_directions():
    """OpenCV rounds the gradient's direction to one of four and does not interpolate.

    Its thresholds are of eight times our gradient. So the edges are not the same pixels, but
    each of ours has one of theirs in its neighbourhood, and the other way round.
    """
    rng = np.random.default_rng(3)
    field = ndi.gaussian_filter(rng.random((200, 220)), 6)
    image = (200.0 * (field > np.median(field)) + 20).astype(np.uint8)
    smooth = np.rint(gaussian(image, sigma=2.0)).astype(np.int16)
    dx, dy = (cv2.Sobel(smooth, cv2.CV_16S, *d, ksize=3) for d in ((1, 0), (0, 1)))
    top = float(np.hypot(dx.astype(float), dy).max())
    theirs = cv2.Canny(dx, dy, 0.2 * top, 0.4 * top, L2gradient=True) > 0
    ours = canny(smooth, sigma=0.0, low=0.2, high=0.4)
    inner = (slice(3, -3),) * 2
    near = np.ones((3, 3))
    assert ours[inner].sum() > 1000
    assert (ours <= ndi.binary_dilation(theirs, near))[inner].mean() > 0.999
    assert (theirs <= ndi.binary_dilation(ours, near))[inner].mean() > 0.999


@pytest.mark.parametrize(("connectivity", "theirs"), [(1, 4), (2, 8)])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_components_are_opencv_s(connectivity, theirs, share):
    mask = noise(top=1) < share
    count, expected = cv2.connectedComponents(mask.astype(np.uint8), connectivity=theirs)
    actual, number = label(mask, connectivity)
    assert number == count - 1
    pairs = np.unique(np.stack([actual.ravel(), expected.ravel()]), axis=1)
    assert pairs.shape[1] == count  # one to one


def test_otsu_is_opencv_s(image):
    level, expected = cv2.threshold(image, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    assert 0 < level < 255
    np.testing.assert_array_equal(methods["otsu"](image), expected > 0)


def test_local_mean_is_opencv_s_but_for_rounding():
    """OpenCV rounds the mean of uint8 to a whole number; where it is not near, masks agree."""
    image = noise(dtype="uint8")
    theirs = cv2.adaptiveThreshold(
        image, 1, cv2.ADAPTIVE_THRESH_MEAN_C, cv2.THRESH_BINARY, 15, 0
    ).astype(bool)
    ours = methods["local_mean"](image, window=15.0, offset=0.0)
    mean = cv2.blur(image.astype(np.float64), (15, 15), borderType=cv2.BORDER_REPLICATE)
    clear = np.abs(image - mean) > 1
    inner = (slice(8, -8),) * 2
    np.testing.assert_array_equal(ours[inner][clear[inner]], theirs[inner][clear[inner]])
