"""Non-maximum suppression against its definition."""

from __future__ import annotations

import importlib

import numpy as np
import pytest
import scipy.ndimage as ndi

from napari_segment.classical.edges import canny
from napari_segment.registry import filters


def blobs(shape, seed=0):
    rng = np.random.default_rng(seed)
    smooth = ndi.gaussian_filter(rng.random(shape), 4)
    return (smooth > np.median(smooth)) + rng.normal(0, 0.1, shape)


def by_definition(image, spacing, sigma, low, high):
    """Ridges of the gradient, interpolated by SciPy, and hysteresis over its components."""
    smooth = filters["gaussian"](image, spacing, sigma=sigma).astype(float)
    slope = np.stack([filters["sobel"](smooth, spacing, response=axis) for axis in "zyx"])
    strength = np.sqrt((slope**2).sum(0))
    step = slope / np.reshape(spacing, (3, 1, 1, 1))
    step /= np.maximum(np.abs(step).max(0), 1e-30)
    here = np.indices(image.shape)
    around = [
        ndi.map_coordinates(strength, here + side * step, order=1, mode="nearest")
        for side in (-1, 1)
    ]
    ridge = (strength > 0) & (strength >= np.maximum(*around) * (1 - 1e-12))
    clear = np.abs(strength - np.maximum(*around)) > 1e-4 * strength.max()
    labels, _ = ndi.label(ridge & (strength >= low * strength.max()), np.ones((3, 3, 3)))
    strong = np.unique(labels[ridge & (strength >= high * strength.max())])
    return np.isin(labels, strong[strong > 0]), clear


@pytest.mark.parametrize("dtype", [np.float32, np.uint16, np.float64])
@pytest.mark.parametrize("shape", [(30, 40, 50), (3, 90, 20), (70, 5, 33), (2, 200, 9)])
def test_volumes_are_what_the_definition_says(shape, dtype):
    image = (1000 * (2 + blobs(shape, seed=3))).astype(dtype)
    spacing = (1.5, 1.0, 0.7)
    expected, clear = by_definition(image, spacing, 1.0, 0.2, 0.2)
    result = canny(image, spacing, low=0.2, high=0.2)
    assert result.sum() > 50
    np.testing.assert_array_equal(result[clear], expected[clear])


@pytest.mark.parametrize("cores", ["1", "3"])
def test_how_the_work_is_cut_makes_no_difference(monkeypatch, cores):
    image = blobs((40, 70, 60)).astype(np.float32)
    expected = canny(image)
    boxes = importlib.import_module("napari_segment.classical.edges.thinning")
    monkeypatch.setenv("NAPARI_SEGMENT_THREADS", cores)
    monkeypatch.setattr(boxes, "_CACHE", 1)
    monkeypatch.setattr(boxes, "_THICKEST", 17)
    assert len(boxes._boxes(image.shape, 6, 4)) > 20
    np.testing.assert_array_equal(canny(image), expected)
    np.testing.assert_array_equal(canny(np.asfortranarray(image)), expected)
    np.testing.assert_array_equal(canny(image.astype(">f4")), expected)
