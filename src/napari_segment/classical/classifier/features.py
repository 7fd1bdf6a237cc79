"""Pixel features: what a classifier sees of every voxel, at several scales in physical units."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.maps import as_volume
from napari_segment.blocks.slabs import over_slabs
from napari_segment.classical.filters.separable import TRUNCATE, gaussian_kernel
from napari_segment.classical.grid import in_voxels

Kind: TypeAlias = Literal["gaussian", "gradient", "laplacian", "hessian", "difference", "structure"]
KINDS: tuple[Kind, ...] = get_args(Kind)
DEFAULT_KINDS: tuple[Kind, ...] = ("gaussian", "gradient", "laplacian", "hessian")
EIGENVALUES = ("hessian", "structure")  # as many numbers as there are axes
_TITLES = {"difference": "difference of gaussians", "structure": "structure tensor"}
WIDER = 1.6  # of the second Gaussian of a difference to the first, as in scikit-image
INTEGRATION = 0.5  # scale of the Gaussian that joins products of derivatives, in scales
_ROWS = 1 << 15  # voxels whose features are computed at once


@dataclass(frozen=True)
class FeatureSet:
    """Which features are computed of each channel.

    At each scale the image is smoothed by a Gaussian (values beyond the edge repeat the nearest).
    Of that come its value ("gaussian"), Sobel's magnitude ("gradient"), and the sum ("laplacian")
    and the eigenvalues, largest first ("hessian"), of its second differences; all per unit of the
    spacing. "gaussian", "gradient" and "hessian" are those of
    `skimage.feature.multiscale_basic_features` where the spacing is 1. "difference" is
    the smoothed image less one smoothed 1.6 times as wide (Marr & Hildreth, 1980,
    :doi:`10.1098/rspb.1980.0020`), and "structure" the eigenvalues, largest first, of the
    products of its central differences, smoothed at half the scale.

    Parameters
    ----------
    scales : tuple of float
        Standard deviations of the Gaussians, in the unit of the spacing; 0 is the image itself.
    kinds : tuple of str
        What is derived at each scale: "gaussian", "gradient", "laplacian", "hessian",
        "difference", "structure".
    """

    scales: tuple[float, ...]
    kinds: tuple[Kind, ...] = DEFAULT_KINDS

    def names(self, channels: Sequence[str], ndim: int) -> tuple[str, ...]:
        """A name for each feature, in the order of the columns."""
        parts: dict[str, list[str]] = {kind: [_TITLES.get(kind, kind)] for kind in self.kinds}
        for kind in EIGENVALUES:
            if kind in parts:
                parts[kind] = [f"{parts[kind][0]} {i}" for i in range(1, ndim + 1)]
        return tuple(
            f"{channel} {part} {scale:g}".strip()
            for channel in channels
            for scale in self.scales
            for kind in KINDS
            if kind in parts
            for part in parts[kind]
        )

    def reach(self, spacing: Sequence[float]) -> tuple[int, ...]:
        """How many voxels away a voxel's features look, along each axis."""
        widest = in_voxels(max(self.scales), spacing, name="scales")
        factor = WIDER if "difference" in self.kinds else 1.0
        further = INTEGRATION if "structure" in self.kinds else 0.0
        return tuple(
            max(_radius(width * factor), _radius(width) + _radius(width * further)) + 2
            for width in widest
        )

    def width(self, ndim: int) -> int:
        """The number of features of one channel at one scale."""
        return sum(ndim if kind in EIGENVALUES else 1 for kind in self.kinds)

    def volumes(self, ndim: int) -> int:
        """The number of images that are held of one channel at one scale."""
        tensor = ndim * (ndim + 1) // 2 if "structure" in self.kinds else 0
        return 1 + ("difference" in self.kinds) + tensor

    def columns(self, first: int, ndim: int) -> NDArray[np.int64]:
        """The columns of one channel at one scale from `first` on; -1 for what is left out."""
        columns = np.full(len(KINDS), -1, np.int64)
        for i, kind in enumerate(KINDS):
            if kind in self.kinds:
                columns[i] = first
                first += ndim if kind in EIGENVALUES else 1
        return columns


def _radius(width: float) -> int:
    """How far a Gaussian reaches, in voxels."""
    return int(TRUNCATE * width + 0.5)


def for_rows(
    channels: NDArray[Any],
    spacing: Sequence[float],
    features: FeatureSet,
    use: Callable[[int, int, NDArray[np.float32]], None],
    *,
    lines: tuple[int, int] | None = None,
) -> None:
    """Compute features and hand them over a few rows at a time, from several threads.

    Parameters
    ----------
    channels : array (C, Y, X) or (C, Z, Y, X)
        Real numbers of any type.
    spacing : sequence of float
        Distance between neighbours along each spatial axis.
    features : FeatureSet
        What to compute.
    use : callable
        Called with the first and one past the last voxel (in C order), and their features (N, F).
    lines : (int, int), optional
        First row and one past the last, counted over all planes; default all.
    """
    from napari_segment.classical.classifier.features_kernels import derived, eigenvalues

    ndim = channels.ndim - 1
    steps = np.ones(3, np.float32)
    steps[3 - ndim :] = spacing
    sources = [(channel, scale) for channel in channels for scale in features.scales]
    width = features.width(ndim)
    parts = [
        _Part.of(channel, spacing, scale, features, features.columns(i * width, ndim))
        for i, (channel, scale) in enumerate(sources)
    ]
    nz, ny, nx = parts[0].smooth.shape
    first, last = lines or (0, nz * ny)

    def rows(start: int, stop: int) -> None:
        start, stop = first + start, first + stop
        voxels = slice(start * nx, stop * nx)
        table = np.empty(((stop - start) * nx, len(parts) * width), np.float32)
        for part in parts:
            derived(part.smooth, (start, stop), steps, ndim, part.columns, table)
            if part.difference is not None:
                table[:, part.columns[4]] = part.difference.reshape(-1)[voxels]
            if part.products is not None:
                eigenvalues(part.products[:, voxels], ndim, part.columns[5], table)
        use(start * nx, stop * nx, table)

    over_slabs(rows, last - first, max(1, _ROWS // nx))


@dataclass(frozen=True, eq=False)
class _Part:
    """What is held of one channel at one scale, and where its features go."""

    smooth: NDArray[np.float32]  # (Z, Y, X)
    difference: NDArray[np.float32] | None
    products: NDArray[np.float32] | None  # (6, N): xx, yy, zz, xy, xz, yz
    columns: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        channel: NDArray[Any],
        spacing: Sequence[float],
        scale: float,
        features: FeatureSet,
        columns: NDArray[np.int64],
    ) -> _Part:
        smooth = _smoothed(channel, spacing, scale)
        difference = products = None
        if "difference" in features.kinds:
            difference = smooth - _smoothed(channel, spacing, scale * WIDER)
        if "structure" in features.kinds:
            products = _products(smooth, spacing, scale * INTEGRATION)
        return cls(smooth, difference, products, columns)


def _products(
    smooth: NDArray[np.float32], spacing: Sequence[float], scale: float
) -> NDArray[np.float32]:
    """Products (6, N) of the central differences of an image, smoothed: xx, yy, zz, xy, xz, yz."""
    ndim = len(spacing)
    volume = smooth if ndim == 3 else smooth[0]
    slopes = {
        letter: np.gradient(volume, step, axis=axis) if volume.shape[axis] > 1
        else np.zeros_like(volume)
        for axis, (letter, step) in enumerate(zip("zyx"[-ndim:], spacing, strict=True))
    }  # fmt: skip
    out = np.zeros((6, smooth.size), np.float32)
    for i, pair in enumerate(("xx", "yy", "zz", "xy", "xz", "yz")):
        if set(pair) <= set(slopes):
            product = slopes[pair[0]] * slopes[pair[1]]
            out[i] = _smoothed(product, spacing, scale).reshape(-1)
    return out


def feature_table(
    channels: NDArray[Any], spacing: Sequence[float], features: FeatureSet
) -> NDArray[np.float32]:
    """Features (N, F) of all voxels in C order; see `for_rows`."""
    ndim = channels.ndim - 1
    count = len(channels) * len(features.scales) * features.width(ndim)
    out = np.empty((int(np.prod(channels.shape[1:])), count), np.float32)

    def use(start: int, stop: int, table: NDArray[np.float32]) -> None:
        out[start:stop] = table

    for_rows(channels, spacing, features, use)
    return out


def _smoothed(channel: NDArray[Any], spacing: Sequence[float], scale: float) -> NDArray[np.float32]:
    """A channel as (Z, Y, X) of float32, smoothed; values beyond the edge repeat the nearest."""
    from napari_segment.classical.filters.convolution_kernels import along_first, along_rows

    widths = in_voxels(scale, spacing, name="scales")
    source = as_volume(np.asarray(channel, np.float32))
    kernels = [gaussian_kernel(w) for w in (*(0.0,) * (3 - len(widths)), *widths)]
    weights = [np.array(k.weights, np.float32) for k in kernels]
    index = [_clamped(n, k.radius) for n, k in zip(source.shape, kernels, strict=True)]
    nz, ny, nx = source.shape
    out = np.empty_like(source)

    def planes(start: int, stop: int) -> None:
        held = np.empty((ny, nx), np.float32)
        for z in range(start, stop):
            along_first(source[z][:, None], 1, 0, ny, index[1], weights[1], False, held[:, None])
            along_rows(held, index[2], weights[2], False, out[z])

    def strips(start: int, stop: int) -> None:
        part = np.ascontiguousarray(out[:, start:stop])
        result = np.empty_like(part)
        along_first(part, stop - start, 0, nz, index[0], weights[0], False, result)
        out[:, start:stop] = result

    if nz == 1:
        over_slabs(lambda a, b: _plane_rows(source[0], out[0], a, b, index, weights), ny)
        return out
    over_slabs(planes, nz, 1)
    if kernels[0].radius:
        over_slabs(strips, ny)
    return out


def _plane_rows(
    source: NDArray[Any],
    out: NDArray[Any],
    a: int,
    b: int,
    index: list[NDArray[np.int64]],
    weights: list[NDArray[np.float32]],
) -> None:
    from napari_segment.classical.filters.convolution_kernels import along_first, along_rows

    held = np.empty((b - a, source.shape[1]), np.float32)
    along_first(source[:, None], 1, a, b, index[1], weights[1], False, held[:, None])
    along_rows(held, index[2], weights[2], False, out[a:b])


def _clamped(size: int, radius: int) -> NDArray[np.int64]:
    """Existing positions for those from ``-radius`` to ``size + radius``: a a a|a b c d|d d d."""
    return np.clip(np.arange(-radius, size + radius), 0, size - 1)
