"""Edges and smoothing compared with scikit-image, SciPy and SimpleITK."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from stacks import stack
from timing import Row

from napari_segment.registry import filters, methods

SIGMA = 2.0
LOW, HIGH = 0.1, 0.2  # of the largest gradient


def rows(shape: tuple[int, ...]) -> list[Row]:
    """Rows for stacks of a shape."""
    size = "×".join(map(str, shape))
    table = []
    for dtype in ("float32", "uint16"):
        make, what = partial(_stack, shape, dtype), f"{dtype}, {size}"
        volume = partial(_with_tops, shape, dtype, planes=False)
        planes = partial(_with_tops, shape, dtype, planes=True)
        table += [
            Row(f"sobel 3-D, {what}", make, filters["sobel"],
                {"scikit-image": _sobel}, 20, _same_gradient, rounds=2),
            Row(f"canny 3-D, sigma 1, {what}", volume, _canny,
                {"SimpleITK": _canny_3d}, 20, _edge_voxels, rounds=1),
            Row(f"canny 2-D per slice, sigma 1, {what}", planes, _canny_planes,
                {"scikit-image": _canny_2d}, 6, _same_edges, rounds=2),
            Row(f"gaussian 3-D, sigma 2, {what}", make, partial(filters["gaussian"], sigma=SIGMA),
                {"SciPy": _gaussian}, 4, _same_values, rounds=3),
            Row(f"median 3×3×3, {what}", make, filters["median"],
                {"SciPy": _median}, 2, _equal, rounds=1),
        ]  # fmt: skip
    return table


def _stack(shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray]:
    return (stack(shape, dtype),)


def _with_tops(shape: tuple[int, ...], dtype: str, planes: bool) -> tuple[np.ndarray, np.ndarray]:
    """A stack, and the largest gradient of each plane or of the volume, for others' thresholds."""
    image = stack(shape, dtype)
    parts = image if planes else [image]
    smooth = (filters["gaussian"](part, sigma=1.0) for part in parts)
    return image, np.array([filters["sobel"](part).max() for part in smooth], float)


def _sobel(image: np.ndarray) -> np.ndarray:
    from skimage.filters import sobel

    return sobel(image)


def _canny(image: np.ndarray, _tops: np.ndarray) -> np.ndarray:
    return methods["canny"](image, low=LOW, high=HIGH)


def _canny_planes(image: np.ndarray, _tops: np.ndarray) -> np.ndarray:
    return np.stack([methods["canny"](plane, low=LOW, high=HIGH) for plane in image])


def _canny_2d(image: np.ndarray, tops: np.ndarray) -> np.ndarray:
    """scikit-image's thresholds are of eight times the gradient per pixel."""
    from skimage.feature import canny

    planes = image.astype(np.float32, copy=False)
    rows = [canny(p, 1.0, LOW * t, HIGH * t) for p, t in zip(planes, 8 * tops, strict=True)]
    return np.stack(rows)


def _canny_3d(image: np.ndarray, tops: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk  # noqa: N813

    given = sitk.GetImageFromArray(image.astype(np.float32, copy=False))
    return sitk.GetArrayFromImage(
        sitk.CannyEdgeDetection(given, LOW * tops[0], HIGH * tops[0], [1.0] * 3)
    )


def _gaussian(image: np.ndarray) -> np.ndarray:
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(image, SIGMA, output=np.float32)


def _median(image: np.ndarray) -> np.ndarray:
    from scipy.ndimage import median_filter

    return median_filter(image, 3)


def _same_gradient(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    expected = theirs["scikit-image"]
    np.testing.assert_allclose(ours / ours.max(), expected / expected.max(), atol=1e-5)
    return "same but for the scale"


def _same_values(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    np.testing.assert_allclose(ours, theirs["SciPy"], rtol=1e-5)
    return "same values"


def _equal(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    np.testing.assert_array_equal(ours, theirs["SciPy"])
    return "same values"


def _same_edges(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    inside = (slice(None), slice(8, -8), slice(8, -8))
    share = (ours != theirs["scikit-image"])[inside].mean()
    return f"{share:.1e} of pixels differ"


def _edge_voxels(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    return f"{ours.mean():.1%} edge voxels, theirs {(theirs['SimpleITK'] > 0).mean():.1%}"
