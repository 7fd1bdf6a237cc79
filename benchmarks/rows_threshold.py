"""Thresholds and clusters compared with scikit-image, scikit-learn and OpenCV."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from stacks import photograph, stack
from timing import Row

from napari_segment.registry import methods


def rows(shape: tuple[int, ...]) -> list[Row]:
    """Rows for stacks of a shape; the photograph has its own."""
    size = "×".join(map(str, shape))
    one, single = partial(_stack, shape, "uint16"), partial(_stack, shape, "float32")
    side = min(2048, 4 * shape[-1])
    threshold, sauvola = {"scikit-image": _otsu}, {"scikit-image": _sauvola}
    return [
        Row(f"otsu + mask, uint16, {size}", one, _ours("otsu"), threshold, 5, _nearly_same),
        Row(f"otsu + mask, float32, {size}", single, _ours("otsu"), threshold, 5, _nearly_same),
        Row(f"multi_otsu, 3 classes, uint16, {size}", one, _ours("multi_otsu", classes=3),
            {"scikit-image": _multi_otsu}, 1000, _nearly_same, doubtful=("scikit-image",)),
        Row(f"kmeans k=4, one uint16 channel, {size}", partial(_channel, shape),
            _ours("kmeans", clusters=4), _contenders(4), 50, _inertia, rounds=3,
            doubtful=tuple(_contenders(4))),
        Row(f"kmeans k=8, RGB uint8, {side}×{side}", lambda: (photograph(side),),
            _ours("kmeans", clusters=8), _contenders(8), 5, _inertia_of_ten, rounds=3,
            doubtful=tuple(_contenders(8))),
        Row(f"sauvola, window 15, uint16, {size}", one, _ours("sauvola", window=15.0), sauvola, 8,
            _nearly_same, rounds=2),
        Row(f"sauvola, window 15, float32, {size}", single, _ours("sauvola", window=15.0), sauvola,
            8, _nearly_same, rounds=2),
    ]  # fmt: skip


def _ours(name: str, **settings: Any) -> Callable[..., Any]:
    return lambda image: methods[name](image, **settings)


def _stack(shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray]:
    return (stack(shape, dtype),)


def _channel(shape: tuple[int, ...]) -> tuple[np.ndarray]:
    return (stack(shape)[None],)


def _otsu(image: np.ndarray) -> np.ndarray:
    from skimage.filters import threshold_otsu

    return image > threshold_otsu(image)


def _multi_otsu(image: np.ndarray) -> np.ndarray:
    from skimage.filters import threshold_multiotsu

    levels = int(image.max()) - int(image.min()) + 1
    return np.digitize(image, threshold_multiotsu(image, 3, nbins=levels), right=True)


def _sauvola(image: np.ndarray) -> np.ndarray:
    from skimage.filters import threshold_sauvola

    # scikit-image takes floats to lie between -1 and 1, ours to fill their own range; ours takes
    # integers to have as many bits as the greatest needs.
    whole = np.ptp(image) if image.dtype.kind == "f" else 2 ** int(image.max()).bit_length() - 1
    return image > threshold_sauvola(image, 15, r=whole / 2)


def _contenders(clusters: int) -> dict[str, Any]:
    return {
        "scikit-learn KMeans": partial(_sklearn, clusters, "KMeans"),
        "scikit-learn MiniBatchKMeans": partial(_sklearn, clusters, "MiniBatchKMeans"),
        "cv2.kmeans": partial(_cv2, clusters),
    }


def _points(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image.reshape(len(image), -1).T, np.float32)


def _sklearn(clusters: int, name: str, image: np.ndarray) -> np.ndarray:
    import sklearn.cluster

    model = getattr(sklearn.cluster, name)(clusters, n_init=1, random_state=0)
    return _as_image(model.fit_predict(_points(image)), image)


def _cv2(clusters: int, image: np.ndarray, restarts: int = 1) -> np.ndarray:
    import cv2

    cv2.setNumThreads(2)
    # The values of OpenCV's own manual; with 100 iterations it does not end in minutes.
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 1.0)
    points = _points(image)
    labels = cv2.kmeans(points, clusters, None, criteria, restarts, cv2.KMEANS_PP_CENTERS)[1]
    return _as_image(labels, image)


def _as_image(labels: np.ndarray, image: np.ndarray) -> np.ndarray:
    return labels.reshape(image.shape[1:])


def _nearly_same(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    # scikit-image adds counts as float32, so that its thresholds are a few levels off.
    share = min(float((ours == result).mean()) for result in theirs.values())
    assert share > 0.99
    return f"{100 * share:.4g} % the same"


def _inertia(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    image = photograph(len(ours)) if ours.ndim == 2 else stack(ours.shape)[None]
    best = min(_squares(image, result) for result in theirs.values())
    ratio = _squares(image, ours) / best
    assert ratio <= 1.005
    return f"inertia {100 * (ratio - 1):+.3f} %"


def _inertia_of_ten(ours: np.ndarray, theirs: Mapping[str, np.ndarray]) -> str:
    """Beside the best of ten restarts, which is more than is timed."""
    ten = _cv2(8, photograph(len(ours)), restarts=10)
    return f"{_inertia(ours, {**theirs, 'ten': ten})} (best of ten restarts)"


def _squares(image: np.ndarray, labels: np.ndarray) -> float:
    """Sum of squared distances to the means of the clusters."""
    names = labels.ravel()
    counts = np.maximum(np.bincount(names), 1)
    total = 0.0
    for channel in image.reshape(len(image), -1):
        values = channel.astype(np.float64)
        total += float(values @ values - (np.bincount(names, values) ** 2 / counts).sum())
    return total
