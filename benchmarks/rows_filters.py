"""Filters and OpenCV, scikit-image, SciPy and SimpleITK, with the settings nearest to ours.

What is slow by nature is timed on at most 16 planes, or on one plane; the row says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from stacks import stack
from timing import Row

from napari_segment.classical.filters import noise_level
from napari_segment.registry import filters

PLANES = 16


def rows(shape: tuple[int, ...]) -> list[Row]:
    """Rows for stacks of a shape."""
    thin = (min(PLANES, shape[0]), *shape[1:])
    size, few = "×".join(map(str, shape)), "×".join(map(str, thin))
    flat = "×".join(map(str, shape[1:]))
    one = partial(_plane, shape)
    return [
        Row(f"bilateral 2-D, sigma 2, float32, {flat}", one, partial(filters["bilateral"], sigma=2),
            {"OpenCV": _bilateral_cv2, "scikit-image": _bilateral}, 1, _alike),
        Row(f"total_variation 3-D, 50 iterations, float32, {few}", partial(_stack, thin),
            partial(filters["total_variation"], iterations=50), {"scikit-image": _tv}, 1, _alike,
            rounds=1),
        Row(f"nonlocal_means 2-D, 5×5 patches in 13×13, float32, {flat}", one,
            partial(filters["nonlocal_means"], patch_radius=2, search_radius=6),
            {"scikit-image": _nlm}, 1, _alike, rounds=2),
        Row(f"top_hat 3-D, radius 5, uint16, {few}", partial(_stack, thin, "uint16"),
            partial(filters["top_hat"], radius=5.0),
            {"SimpleITK": _top_hat_sitk, "scikit-image": _top_hat}, 1, _alike, rounds=1),
        Row(f"rolling_ball 2-D, radius 20, float32, {flat}", one,
            partial(filters["rolling_ball"], radius=20.0), {"scikit-image": _rolling_ball}, 1,
            _alike, rounds=1),
        Row(f"clahe 3-D, 8 tiles, uint16, {few}", partial(_stack, thin, "uint16"),
            filters["clahe"], {"scikit-image": _clahe}, 1, _alike, rounds=2),
        Row(f"clahe 2-D, 8 tiles, uint16, {flat}", partial(_plane, shape, "uint16"),
            filters["clahe"], {"OpenCV": _clahe_cv2, "scikit-image": _clahe}, 1, _alike),
        Row(f"percentile_normalise, uint16, {size}", partial(_stack, shape, "uint16"),
            partial(filters["percentile_normalise"], low=1.0, high=99.8),
            {"NumPy": _normalise}, 1, _alike, rounds=2),
    ]  # fmt: skip


def _stack(shape: tuple[int, ...], dtype: str = "float32") -> tuple[np.ndarray]:
    return (stack(shape, dtype),)


def _plane(shape: tuple[int, ...], dtype: str = "float32") -> tuple[np.ndarray]:
    return (np.ascontiguousarray(stack(shape, dtype)[shape[0] // 2]),)


def _alike(ours: np.ndarray, theirs: Mapping[str, Any]) -> str:
    """Correlation with the nearest: definitions differ (edges, bins, footprints)."""
    best = max(
        float(np.corrcoef(ours[..., ::3].ravel(), other[..., ::3].ravel())[0, 1])
        for other in theirs.values()
    )
    return f"correlation {best:.3f}"


def _bilateral_cv2(image: np.ndarray) -> np.ndarray:
    import cv2

    cv2.setNumThreads(2)
    return cv2.bilateralFilter(image, 9, 0.1 * float(np.ptp(image)), 2)


def _bilateral(image: np.ndarray) -> np.ndarray:
    from skimage.restoration import denoise_bilateral

    return denoise_bilateral(image, 9, 0.1 * float(np.ptp(image)), 2, mode="symmetric")


def _tv(image: np.ndarray) -> np.ndarray:
    from skimage.restoration import denoise_tv_chambolle

    weight = 0.05 * float(np.ptp(image))
    return denoise_tv_chambolle(image, weight, eps=0, max_num_iter=50)


def _nlm(image: np.ndarray) -> np.ndarray:
    from skimage.restoration import denoise_nl_means

    noise = noise_level(image)  # ours, in no time, so that both are given the same
    return denoise_nl_means(image, 5, 6, h=0.8 * noise, sigma=noise, fast_mode=True)


def _top_hat_sitk(image: np.ndarray) -> np.ndarray:
    import SimpleITK as sitk  # noqa: N813

    given = sitk.GetImageFromArray(image)
    return sitk.GetArrayFromImage(sitk.WhiteTopHat(given, [5] * 3, sitk.sitkBall))


def _top_hat(image: np.ndarray) -> np.ndarray:
    from skimage.morphology import ball, white_tophat

    return white_tophat(image, ball(5, decomposition="sequence"))


def _rolling_ball(image: np.ndarray) -> np.ndarray:
    from skimage.restoration import rolling_ball

    return image - rolling_ball(image, radius=20, workers=2)


def _clahe(image: np.ndarray) -> np.ndarray:
    from skimage.exposure import equalize_adapthist

    return equalize_adapthist(image, nbins=1024)


def _clahe_cv2(image: np.ndarray) -> np.ndarray:
    import cv2

    cv2.setNumThreads(2)
    return cv2.createCLAHE(40, (8, 8)).apply(image)


def _normalise(image: np.ndarray) -> np.ndarray:
    low, high = np.percentile(image, (1, 99.8))
    return ((image - np.float32(low)) / np.float32(high - low)).astype(np.float32)
