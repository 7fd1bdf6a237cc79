"""Normalisation of nnU-Net: the box of nonzero voxels, and numbers measured in it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Sliceable
from napari_segment.errors import InputError
from napari_segment.exchange.nnunet.reading.plans import Intensities, Scheme
from napari_segment.step import Step

_BLOCK = 2**26  # bytes that are read at once
_EPSILON = 1e-8


@dataclass(frozen=True)
class Normaliser:
    """The normalisation of one channel: values are clipped, shifted and divided.

    Parameters
    ----------
    lower, upper : float
        Ends to which values are clipped.
    shift, scale : float
        What is subtracted, and what the rest is divided by.
    masked : bool
        Whether voxels outside of the nonzero mask are unchanged.
    """

    lower: float = -np.inf
    upper: float = np.inf
    shift: float = 0.0
    scale: float = 1.0
    masked: bool = False

    def __call__(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return normalised values in float32."""
        normalised = np.array(values, np.float32)
        self.apply(normalised)
        return normalised

    def apply(self, values: NDArray[np.float32]) -> None:
        """Normalise values in place."""
        if self.lower > -np.inf or self.upper < np.inf:
            np.clip(values, np.float32(self.lower), np.float32(self.upper), out=values)
        values -= np.float32(self.shift)
        values /= np.float32(self.scale)


@dataclass
class Numbers:
    """What is measured in one channel: sums, range, and the range of each plane.

    Parameters
    ----------
    planes : int
        Along the axis across which planes are resampled one by one; 1 without such an axis.
    """

    planes: int
    count: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def __post_init__(self) -> None:
        self.low = np.full(self.planes, np.inf)
        self.high = np.full(self.planes, -np.inf)

    def add(self, values: NDArray[Any]) -> None:
        """Add values to mean and variance, in float64."""
        if not values.size:
            return
        mean = float(values.mean(dtype=np.float64))
        squares = float(np.square(values - mean, dtype=np.float64).sum())
        total = self.count + values.size
        squares += (mean - self.mean) ** 2 * self.count * values.size / total
        self.squares += squares
        self.mean += (mean - self.mean) * values.size / total
        self.count = total

    @property
    def std(self) -> float:
        return float(np.sqrt(self.squares / max(self.count, 1)))


def nonzero_box(image: Sliceable) -> Generator[Step, None, tuple[slice, ...]]:
    """Return the smallest box that holds all nonzero voxels of an image ``(C, *S)``.

    Yields
    ------
    Step
        While a large image is read.
    """
    shape = tuple(image.shape[1:])
    reached = [np.zeros(n, bool) for n in shape]
    for rows, share in _rows(image):
        block = np.asarray(image[(slice(None), rows)])
        nonzero = (block != 0).any(0)
        for axis, line in enumerate(reached):
            others = tuple(a for a in range(len(shape)) if a != axis)
            part = line[rows] if axis == 0 else line
            part |= nonzero.any(others)
        if share < 1:
            yield Step(0, 0, f"Looking for the nonzero part of the image: {share:.0%}")
    if not reached[0].any():
        return tuple(slice(0, n) for n in shape)
    ends = [np.flatnonzero(line)[[0, -1]] for line in reached]
    return tuple(slice(int(first), int(last) + 1) for first, last in ends)


def nonzero_mask(image: Sliceable) -> NDArray[np.bool_]:
    """Return where any channel is nonzero, with holes filled."""
    from scipy.ndimage import binary_fill_holes

    mask = np.zeros(tuple(image.shape[1:]), bool)
    for rows, _ in _rows(image):
        mask[rows] = (np.asarray(image[(slice(None), rows)]) != 0).any(0)
    filled: NDArray[np.bool_] = binary_fill_holes(mask)
    return filled


def measure(
    image: Sliceable, mask: NDArray[np.bool_] | None, separate: int | None
) -> Generator[Step, None, list[Numbers]]:
    """Measure every channel of an image ``(C, *S)`` in one pass.

    Parameters
    ----------
    image : array (C, *S)
        Cropped.
    mask : array (*S), optional
        The voxels that are measured.
    separate : int, optional
        Axis of the planes whose ranges are measured one by one.
    """
    planes = 1 if separate is None else int(image.shape[1 + separate])
    numbers = [Numbers(planes) for _ in range(image.shape[0])]
    for rows, share in _rows(image):
        block = np.asarray(image[(slice(None), rows)], np.float32)
        for channel, own in zip(block, numbers, strict=True):
            own.add(channel if mask is None else channel[mask[rows]])
            _add_range(own, channel, None if mask is None else mask[rows], separate, rows)
        if share < 1:
            yield Step(0, 0, f"Measuring the intensities of the image: {share:.0%}")
    return numbers


def _add_range(
    numbers: Numbers, block: NDArray[np.float32], mask: NDArray[np.bool_] | None,
    separate: int | None, rows: slice,
) -> None:  # fmt: skip
    axes = tuple(a for a in range(block.ndim) if a != separate)
    where = rows if separate == 0 else slice(None)
    inside: Any = True if mask is None else mask
    low = block.min(axes, initial=np.inf, where=inside)
    high = block.max(axes, initial=-np.inf, where=inside)
    numbers.low[where] = np.minimum(numbers.low[where], low)
    numbers.high[where] = np.maximum(numbers.high[where], high)


def normaliser(
    scheme: Scheme, masked: bool, numbers: Numbers, intensities: Intensities
) -> Normaliser:
    """Return the normalisation of a channel.

    Parameters
    ----------
    scheme : str
        Name of nnU-Net's class.
    masked : bool
        Whether the nonzero mask is used; by the z-score alone.
    numbers : Numbers
        Measured in the image.
    intensities : Intensities
        Of the training images.
    """
    match scheme:
        case "ZScoreNormalization":
            scale = max(numbers.std, _EPSILON)
            return Normaliser(shift=numbers.mean, scale=scale, masked=masked)
        case "CTNormalization":
            own = intensities
            scale = max(own.std, _EPSILON)
            return Normaliser(own.percentile_00_5, own.percentile_99_5, own.mean, scale)
        case "RescaleTo01Normalization":
            low, high = float(numbers.low.min()), float(numbers.high.max())
            return Normaliser(shift=low, scale=max(high - low, _EPSILON))
        case "RGBTo01Normalization":
            if numbers.low.min() < 0 or numbers.high.max() > 255:
                raise InputError(
                    "The network expects an RGB image of values from 0 to 255, but the image has "
                    f"{numbers.low.min():.5g} to {numbers.high.max():.5g}."
                )
            return Normaliser(scale=255.0)
        case "NoNormalization":
            return Normaliser()


def needs_numbers(schemes: Sequence[Scheme]) -> bool:
    """Return whether a normalisation depends on the image."""
    return not set(schemes) <= {"CTNormalization", "NoNormalization"}


def _rows(image: Sliceable) -> Iterator[tuple[slice, float]]:
    """Yield rows of the first spatial axis, with the share that is read after them."""
    count = int(image.shape[1])
    row = 4 * int(np.prod(image.shape)) // max(count, 1)
    step = max(1, _BLOCK // max(row, 1))
    for start in range(0, count, step):
        stop = min(start + step, count)
        yield slice(start, stop), stop / count
