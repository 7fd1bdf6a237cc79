"""Regions and scikit-image, whose code some of them run: those rows show what we add."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from stacks import stack
from timing import Row

from napari_segment.registry import filters, methods
from napari_segment.step import run

PLANES = 16
ITERATIONS = 20


def rows(shape: tuple[int, ...]) -> list[Row]:
    """Rows for stacks of a shape."""
    thin = (min(PLANES, shape[0]), *shape[1:])
    few, flat = "×".join(map(str, thin)), "×".join(map(str, shape[1:]))
    slab, one = partial(_marked, thin), partial(_marked_plane, shape)
    return [
        Row(f"watershed of the gradient from markers, uint16, {few}", slab, _watershed,
            {"SciPy + scikit-image": _their_watershed}, 1, _same, rounds=2),
        Row(f"random_walker 2-D (scikit-image's code), {flat}", one, _walker,
            {"scikit-image": _their_walker}, 1, _same, rounds=1),
        Row(f"slic (scikit-image's code), 500 segments, {few}", slab, _slic,
            {"scikit-image": _their_slic}, 1, _counts, rounds=1),
        Row(f"chan_vese, {ITERATIONS} iterations, float32, {few}", partial(_smooth, thin),
            _chan_vese, {"scikit-image": _their_chan_vese}, 1, _same, rounds=1),
        Row(f"fill_contours, {few}", slab, _fill, {"SciPy + scikit-image": _their_fill}, 1, _same,
            rounds=1),
    ]  # fmt: skip


def _marked(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A stack, and markers: 1 in the dark, 2, 3, … in the middle of what is bright."""
    from scipy.ndimage import gaussian_filter
    from skimage.feature import peak_local_max

    image = stack(shape)
    smooth = gaussian_filter(image.astype(np.float32), 3)
    markers = (smooth < np.percentile(smooth, 40)).astype(np.int32)
    peaks = peak_local_max(smooth, min_distance=6, threshold_abs=12_000)
    markers[tuple(peaks.T)] = np.arange(2, len(peaks) + 2)
    return image, markers


def _smooth(shape: tuple[int, ...]) -> tuple[np.ndarray]:
    return (filters["gaussian"](stack(shape), sigma=3.0),)


def _marked_plane(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The middle plane, and markers: 1 in what is surely dark, 2 in what is surely bright."""
    plane = np.ascontiguousarray(stack(shape)[shape[0] // 2])
    smooth = filters["gaussian"](plane, sigma=2.0)
    markers = (smooth < np.percentile(smooth, 40)).astype(np.int32)
    markers[smooth > 14_000] = 2
    return plane, markers


def _watershed(image: np.ndarray, markers: np.ndarray) -> np.ndarray:
    return methods["watershed"](image, markers=markers)


def _their_watershed(image: np.ndarray, markers: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_gradient_magnitude
    from skimage.segmentation import watershed

    return watershed(gaussian_gradient_magnitude(image, 1.0, output=np.float32), markers)


def _walker(image: np.ndarray, markers: np.ndarray) -> np.ndarray:
    return methods["random_walker"](image, markers=markers)


def _their_walker(image: np.ndarray, markers: np.ndarray) -> np.ndarray:
    """Of intensities in standard deviations, as ours: scikit-image's beta depends on their unit."""
    from skimage.segmentation import random_walker

    return random_walker(image / image.std(), markers, mode="cg_j", prob_tol=1)


def _slic(image: np.ndarray, _markers: np.ndarray) -> np.ndarray:
    return methods["slic"](image, segments=500)


def _their_slic(image: np.ndarray, _markers: np.ndarray) -> np.ndarray:
    from skimage.segmentation import slic

    return slic(image.astype(np.float32), 500, compactness=0.1, channel_axis=None)


def _chan_vese(image: np.ndarray) -> np.ndarray:
    return run(methods["chan_vese"](image, iterations=ITERATIONS))


def _their_chan_vese(image: np.ndarray) -> np.ndarray:
    from skimage.segmentation import morphological_chan_vese

    start = image > image.mean()
    return morphological_chan_vese(image, ITERATIONS, start)


def _fill(image: np.ndarray, _markers: np.ndarray) -> np.ndarray:
    return methods["fill_contours"](image, low=0.1, high=0.2)


def _their_fill(image: np.ndarray, _markers: np.ndarray) -> np.ndarray:
    """Plane by plane: scikit-image has no Canny of volumes."""
    from scipy.ndimage import binary_fill_holes
    from skimage.feature import canny

    planes = image.astype(np.float32)
    return np.stack([binary_fill_holes(canny(p, 1.0, 8000, 16_000)) for p in planes])


def _same(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    (other,) = theirs.values()
    return f"{100 * float((ours == other).mean()):.3g} % the same"


def _counts(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    (other,) = theirs.values()
    return f"{len(np.unique(ours)):,} regions, theirs {len(np.unique(other)):,}"
