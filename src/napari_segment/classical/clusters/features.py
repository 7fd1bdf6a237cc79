"""What voxels are clustered by: channels, colours, position and texture, as 16-bit codes.

Codes are whole numbers, so sums over them are exact in any order. 8- and 16-bit channels are
their own codes; everything else is rounded to 65,535 steps between its smallest and greatest
finite value, which are exact too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.blocks import is_lazy, map_blocks, reduce
from napari_segment.blocks.maps import native
from napari_segment.blocks.slabs import over_slabs
from napari_segment.classical.histogram import finite_range, real
from napari_segment.errors import InputError
from napari_segment.runtime import threads

if TYPE_CHECKING:
    from napari_segment.classical.threshold.window import Coding

T = TypeVar("T", bound=np.generic)
Space: TypeAlias = Annotated[
    Literal["channels", "intensity", "hsv", "lab"],
    Field(
        description="Features of a voxel: every channel; their mean; or, of an RGB image, hue, "
        "saturation and value, or CIE L*a*b*."
    ),
]

HOLE = 65_535
_STEPS = HOLE - 1
_TEXTURE_REACH = 2
_AT_ONCE = 1 << 16  # voxels whose codes are copied


@dataclass(frozen=True)
class Features:
    """Codes of the voxels, and what a code is worth.

    Parameters
    ----------
    codes : tuple of array (*S)
        One array of uint8 or uint16 for each feature, in memory or lazy.
    weights : tuple of float
        Distance between neighbouring codes of each feature.
    offsets : tuple of float
        Value of code 0, weighted.
    brightness : tuple of float
        Parts of the features in the intensity by which clusters are ordered.
    holes : bool
        Whether the first feature's code 65,535 marks voxels without a place (NaN).
    """

    codes: tuple[Any, ...]
    weights: tuple[float, ...]
    offsets: tuple[float, ...]
    brightness: tuple[float, ...]
    holes: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(self.codes[0].shape)

    def __add__(self, other: Features) -> Features:
        return Features(
            self.codes + other.codes,
            self.weights + other.weights,
            self.offsets + other.offsets,
            self.brightness + other.brightness,
            self.holes,
        )

    def sample(self, size: int) -> NDArray[np.uint16]:
        """Codes (D, n) of at most `size` voxels on a lattice, without the holes."""
        where = _lattice(self.shape, size)
        parts = [np.asarray(codes[where]).reshape(-1) for codes in self.codes]
        return self.without_holes(np.stack(parts).astype(np.uint16))

    def without_holes(self, codes: NDArray[np.uint16]) -> NDArray[np.uint16]:
        return codes[:, codes[0] != HOLE] if self.holes else codes


def _lattice(shape: Sequence[int], size: int) -> tuple[slice, ...]:
    """The closest lattice of at most `size` places, as wide along all axes.

    It lies symmetrically, so that flipping an image flips its sample. That takes an odd step.
    """
    step = 1
    while True:
        where = tuple(_symmetric(n, step) for n in shape)
        count = math.prod(len(range(n)[w]) for n, w in zip(shape, where, strict=True))
        if count <= size:
            return where
        step = max(step + 2, int(step * (count / size) ** (1 / len(shape))) // 2 * 2 - 1)


def _symmetric(length: int, step: int) -> slice:
    """Every n-th place (an odd number) of an axis, as far from its start as from its end."""
    count = -(-length // step)
    count -= (length - count) % 2
    if not count:  # of an even length: the two places in the middle
        return slice(max(length // 2 - 1, 0), length // 2 + 1)
    start = (length - 1 - (count - 1) * step) // 2
    return slice(start, length - start, step)


def channel_features(image: Array) -> Features:
    """Each channel of an image (C, *S) as it is."""
    channels = [native(real(channel)) for channel in image]
    if all(c.dtype in (np.uint8, np.uint16) for c in channels):
        ones = (1.0,) * len(channels)
        return Features(tuple(channels), ones, (0.0,) * len(channels), ones)
    ranges = [finite_range(channel) for channel in channels]
    ranges = [(low, high) if low <= high else (0.0, 0.0) for low, high in ranges]
    weights = tuple((high - low) / _STEPS for low, high in ranges)
    codes = [
        map_blocks(partial(_coded, low=low, weight=weight), c, dtype=np.uint16)
        for c, (low, _), weight in zip(channels, ranges, weights, strict=True)
    ]
    holes = any(c.dtype.kind == "f" for c in channels)
    if holes:
        codes[0] = map_blocks(_with_holes, codes[0], *channels, dtype=np.uint16)
    ones = (1.0,) * len(channels)
    return Features(tuple(codes), weights, tuple(low for low, _ in ranges), ones, holes)


def colour_features(image: Array, space: Literal["hsv", "lab"]) -> Features:
    """Colours of an RGB image (3, *S) in a space where distance is closer to what is seen.

    "lab" is CIE L*a*b* (sRGB, D65). "hsv" is the cone of saturation · (cos hue, sin hue) and
    value, because hue is an angle. White is the greatest number of as many bits (at least 8) as the
    greatest value needs, or 1 where all values lie below 2.
    """
    if len(image) != 3:
        more = "Keep them alone with the filter channels (indices=0,1,2), or use"
        raise InputError(
            f"The features {space!r} need the three channels red, green and blue, but the image "
            f"has {len(image)}. {more if len(image) > 3 else 'Use'} features='channels'."
        )
    channels = [real(channel) for channel in image]
    scale = 1.0 / _white(image.dtype, channels)
    low, span = _COLOUR_RANGES[space]
    codes = tuple(
        map_blocks(
            partial(_colour_codes, space=space, axis=d, scale=scale), *channels, dtype=np.uint16
        )
        for d in range(3)
    )
    brightness = (1.0, 0.0, 0.0)
    weights = tuple(s / _STEPS for s in span)
    return Features(codes, weights, low, brightness, channels[0].dtype.kind == "f")


def _white(dtype: np.dtype[Any], channels: Sequence[Any]) -> float:
    """The value of full light: all bits that the greatest value needs, or 1 of values below 2."""
    if dtype == np.uint8:
        return 255.0
    high = max(finite_range(channel)[1] for channel in channels)
    return float(np.ldexp(1.0, max(int(np.frexp(high)[1]), 8))) - 1 if high >= 2 else 1.0


def position_features(like: Features, spacing: Sequence[float], weight: float) -> Features:
    """Coordinates along the spatial axes; the longest side is worth `weight` × the intensities."""
    shape = like.shape
    spacing = tuple(spacing) or (1.0,) * len(shape)
    axes = range(len(shape) - len(spacing), len(shape))
    longest = max(shape[a] * s for a, s in zip(axes, spacing, strict=True))
    ranges = [code_range(codes, HOLE if like.holes else -1) for codes in like.codes]
    spans = [w * max(high - low, 0) for w, (low, high) in zip(like.weights, ranges, strict=True)]
    codes, weights = [], []
    for axis, step in zip(axes, spacing, strict=True):
        stride = max(1, HOLE // max(shape[axis], 1))
        codes.append(_coordinates(like.codes[0], axis, stride))
        weights.append(weight * max(spans) * step / longest / stride)
    zeros = (0.0,) * len(codes)
    return Features(tuple(codes), tuple(weights), zeros, zeros)


def texture_features(intensity: Array, spatial: int, weight: float) -> Features:
    """Standard deviation of an intensity (*S) in the box of 5 voxels around each voxel.

    Only the last `spatial` axes have neighbours; those before, such as time, have none.
    """
    from napari_segment.classical.threshold.window import Coding

    coding = Coding.of(intensity, (_TEXTURE_REACH,) * spatial)
    low, high = finite_range(intensity)
    most = max((high - low) / 2, 0.0)  # no standard deviation is greater
    work = partial(_spread_codes, coding=coding, scale=_STEPS * coding.step / (most or 1.0))
    codes = _on_boxes(work, intensity, spatial)
    return Features((codes,), (weight * most / _STEPS,), (0.0,), (0.0,))


def _on_boxes(work: Callable[..., None], array: Array, spatial: int) -> Array:
    from napari_segment.classical.threshold.window import on_windows

    if array.ndim <= spatial:
        return on_windows(work, array, (_TEXTURE_REACH,) * spatial, "repeat", np.uint16)
    parts = [_on_boxes(work, part, spatial) for part in array]
    if not is_lazy(array):
        return np.stack(parts)
    import dask.array as da

    return da.stack(parts)


def _spread_codes(
    volume: NDArray[Any],
    index: Sequence[NDArray[np.int64]],
    out: NDArray[np.uint16],
    *,
    coding: Coding,
    scale: float,
) -> None:
    from napari_segment.classical.threshold.local_kernels import local_spread

    z, y, x = index
    spread = np.empty(out.shape)
    local_spread(coding.codes(volume, z), np.arange(len(z)), y, x, coding.holes, spread)
    out[...] = np.rint(np.nan_to_num(spread * scale).clip(0, _STEPS))


def map_codes(
    work: Callable[[NDArray[np.uint16]], NDArray[T]], blocks: Sequence[NDArray[Any]], dtype: type[T]
) -> NDArray[T]:
    """One value (N,) of the codes (D, N) of each voxel, in the shape of the blocks; in threads."""
    out = np.empty(blocks[0].shape, dtype)

    def fill(start: int, stop: int) -> None:
        for planes, codes in _codes_of_planes(blocks, start, stop):
            out[planes] = work(codes).reshape(out[planes].shape)

    over_slabs(fill, len(out))
    return out


def sum_of_codes(
    add: Callable[[NDArray[np.uint16], NDArray[np.int64]], None],
    blocks: Sequence[NDArray[Any]],
    shape: tuple[int, ...],
) -> NDArray[np.int64]:
    """Whole numbers of a shape, to which `add` adds the codes (D, N) of all voxels; in threads."""

    def part(start: int, stop: int) -> NDArray[np.int64]:
        total = np.zeros(shape, np.int64)
        for _, codes in _codes_of_planes(blocks, start, stop):
            add(codes, total)
        return total

    length = len(blocks[0])
    parts = over_slabs(part, length, max(1, -(-length // threads())))
    return np.sum(parts, axis=0) if parts else np.zeros(shape, np.int64)


def _codes_of_planes(
    blocks: Sequence[NDArray[Any]], start: int, stop: int
) -> Iterator[tuple[slice, NDArray[np.uint16]]]:
    """Codes (D, N) of a few planes at a time, so that little is copied at once."""
    size = max(1, int(np.prod(blocks[0].shape[1:])))
    step = max(1, _AT_ONCE // size)
    for first in range(start, stop, step):
        planes = slice(first, min(first + step, stop))
        codes = np.stack([block[planes] for block in blocks], dtype=np.uint16, casting="unsafe")
        yield planes, codes.reshape(len(blocks), -1)


def code_range(codes: Array, hole: int) -> tuple[int, int]:
    """Least and greatest of codes in memory or lazy other than `hole`; (65,535, 0) if none is."""
    return reduce(codes, partial(_extremes, hole), _widest)


def _extremes(hole: int, block: NDArray[Any]) -> tuple[int, int]:
    known = block if hole < 0 else block[block != hole]
    return (int(known.min()), int(known.max())) if known.size else (HOLE, 0)


def _widest(parts: Sequence[tuple[int, int]]) -> tuple[int, int]:
    return min(low for low, _ in parts), max(high for _, high in parts)


def _coordinates(like: Array, axis: int, stride: int) -> Array:
    shape = [1] * like.ndim
    shape[axis] = like.shape[axis]
    line = (np.arange(like.shape[axis]) * stride).clip(max=HOLE).astype(np.uint16).reshape(shape)
    if not is_lazy(like):
        return np.broadcast_to(line, like.shape)
    import dask.array as da

    cut = [like.chunks[a] if a == axis else (1,) for a in range(like.ndim)]
    return da.broadcast_to(da.from_array(line, chunks=cut), like.shape, chunks=like.chunks)


def _coded(block: NDArray[Any], *, low: float, weight: float) -> NDArray[np.uint16]:
    """Codes of values; infinities become the extremes."""
    scaled = np.nan_to_num((block.astype(np.float64) - low) / (weight or 1.0), nan=0.0)
    codes: NDArray[np.uint16] = np.rint(scaled.clip(0, _STEPS)).astype(np.uint16)
    return codes


def _with_holes(codes: NDArray[np.uint16], *channels: NDArray[Any]) -> NDArray[np.uint16]:
    unknown = np.logical_or.reduce([np.isnan(c) for c in channels])
    return np.where(unknown, np.uint16(HOLE), codes)


# ---- colour spaces ----

_COLOUR_RANGES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "lab": ((0.0, -128.0, -128.0), (100.0, 256.0, 256.0)),
    "hsv": ((0.0, -1.0, -1.0), (1.0, 2.0, 2.0)),
}


def _colour_codes(
    *channels: NDArray[Any], space: Literal["hsv", "lab"], axis: int, scale: float
) -> NDArray[np.uint16]:
    from napari_segment.classical.clusters._colours import hsv_cone, lab

    low, span = _COLOUR_RANGES[space]
    convert = lab if space == "lab" else hsv_cone
    out = np.empty(channels[0].shape, np.uint16)
    for plane in np.ndindex(out.shape[:1]):
        red, green, blue = ((c[plane] * scale).clip(0, 1) for c in channels)
        value = convert(red, green, blue, axis)
        out[plane] = _coded(value, low=low[axis], weight=span[axis] / _STEPS)
    if channels[0].dtype.kind == "f":
        return _with_holes(out, *channels)
    return out
