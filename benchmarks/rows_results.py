"""Cleanups and measurements compared with scikit-image and SciPy."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from stacks import stack
from timing import Row

from napari_segment.image import Image, Labels
from napari_segment.registry import cleanups
from napari_segment.results.measure import measure

SIZE = 200
SPACING = (2.0, 1.0, 1.0)
OURS = (
    "size", "bbox", "centroid", "equivalent_diameter", "extent", "euler_number",
    "major_axis_length", "mean_intensity", "min_intensity", "max_intensity", "std_intensity",
    "weighted_centroid",
)  # fmt: skip
THEIRS = (
    "area", "bbox", "centroid", "equivalent_diameter_area", "extent", "euler_number",
    "axis_major_length", "intensity_mean", "intensity_min", "intensity_max", "intensity_std",
    "centroid_weighted",
)  # fmt: skip


def rows(shape: tuple[int, ...]) -> list[Row]:
    """Rows for stacks of a shape."""
    size = "×".join(map(str, shape))
    mask = partial(_mask, shape)
    return [
        Row(f"connected components of at least {SIZE} voxels, {size}", mask, _components,
            {"scikit-image": _their_components}, 4, _same_but_numbers),
        Row(f"connected components + remove_small as two cleanups, {size}", mask, _two_steps,
            {"scikit-image": _their_components}, 4, _same),
        Row(f"split_touching, spacing 2:1:1, {size}", mask, _split,
            {"SciPy + scikit-image": _their_split}, 2, _counts, rounds=2),
        Row(f"split_touching, one component fills the image, {size}", partial(_solid, shape),
            _split, {"SciPy + scikit-image": _their_split}, 2, _counts, rounds=1),
        Row(f"measure 12 properties, 10,000 objects, {size}", partial(_balls, shape), _measure,
            {"regionprops_table": _their_table}, 20, _close, rounds=3),
    ]  # fmt: skip


def _mask(shape: tuple[int, ...]) -> tuple[np.ndarray]:
    from scipy.ndimage import uniform_filter

    return (uniform_filter(stack(shape).astype(np.float32), 3) > 11_000,)


def _solid(shape: tuple[int, ...]) -> tuple[np.ndarray]:
    mask = np.ones(shape, bool)
    mask[::9, ::9, ::9] = False
    return (mask,)


def _components(mask: np.ndarray) -> np.ndarray:
    return cleanups["connected_components"].function(mask, min_size=SIZE)


def _two_steps(mask: np.ndarray) -> np.ndarray:
    labels = cleanups["connected_components"].function(mask)
    return cleanups["remove_small"].function(labels, holds="objects", min_size=SIZE)


def _their_components(mask: np.ndarray) -> np.ndarray:
    from skimage.measure import label
    from skimage.morphology import remove_small_objects

    return remove_small_objects(label(mask, connectivity=1), max_size=SIZE - 1)


def _same(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    np.testing.assert_array_equal(ours, theirs["scikit-image"])
    return "same labels"


def _same_but_numbers(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    from skimage.segmentation import relabel_sequential

    np.testing.assert_array_equal(ours, relabel_sequential(theirs["scikit-image"])[0])
    return "same objects, numbered without gaps"


def _split(mask: np.ndarray) -> np.ndarray:
    return cleanups["split_touching"].function(mask, spacing=SPACING)


def _their_split(mask: np.ndarray) -> np.ndarray:
    from scipy.ndimage import distance_transform_edt, gaussian_filter
    from skimage.feature import peak_local_max
    from skimage.measure import label
    from skimage.segmentation import watershed

    distance = distance_transform_edt(mask, sampling=SPACING)
    smooth = gaussian_filter(distance, [1 / s for s in SPACING])
    markers = np.zeros(mask.shape, np.int32)
    peaks = peak_local_max(smooth, min_distance=3, labels=label(mask), exclude_border=False)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return watershed(-smooth, markers, mask=mask)


def _counts(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    (other,) = theirs.values()
    return f"{ours.max():,} objects, theirs {other.max():,}"


def _balls(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """10,000 balls of radius 5 on a grid, and intensities."""
    z, y, x = np.indices((11, 11, 11)) - 5
    ball = z**2 + y**2 + x**2 <= 25
    labels = np.zeros(shape, np.int32)
    corners = np.ndindex(*(n // 11 for n in shape))
    for number, corner in zip(range(1, 10_001), corners, strict=False):
        labels[tuple(slice(11 * c, 11 * c + 11) for c in corner)][ball] = number
    return labels, stack(shape)


def _measure(labels: np.ndarray, image: np.ndarray) -> pd.DataFrame:
    return measure(Labels(labels, spacing=SPACING), Image(image), properties=OURS)


def _their_table(labels: np.ndarray, image: np.ndarray) -> dict[str, Any]:
    from skimage.measure import regionprops_table

    return regionprops_table(labels, image, properties=THEIRS, spacing=SPACING)


def _close(ours: pd.DataFrame, theirs: Mapping[str, dict[str, Any]]) -> str:
    (other,) = theirs.values()
    pairs = {"volume": "area", "euler_number": "euler_number", "std_intensity": "intensity_std",
             "major_axis_length": "axis_major_length", "centroid_x": "centroid-2",
             "weighted_centroid_z": "centroid_weighted-0"}  # fmt: skip
    for a, b in pairs.items():
        np.testing.assert_allclose(ours[a], other[b], rtol=1e-4)
    return f"same values, {len(ours):,} objects"
