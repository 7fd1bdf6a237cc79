"""Normalisation of intensities: measured on an image once, then applied to any block of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from napari_segment.arrays import Array

Scheme: TypeAlias = Literal["zscore", "percentile", "fixed", "none"]

Finite: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Percentile: TypeAlias = Annotated[float, Field(ge=0, le=100)]

_SAMPLE = 2**20  # voxels from which an image's intensities are measured


@dataclass(frozen=True)
class Rescale:
    """A fixed change of intensities: clip to `low` … `high`, less `shift`, over `scale`."""

    low: float
    high: float
    shift: float
    scale: float

    def __call__(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """Apply the change to an array of any shape; NaN becomes 0."""
        changed: NDArray[np.float32] = np.clip(block, self.low, self.high).astype(np.float32)
        changed -= np.float32(self.shift)
        changed /= np.float32(self.scale)
        return np.nan_to_num(changed, copy=False)


class Normalisation(BaseModel):
    """How the intensities of one channel become numbers around 0.

    Parameters
    ----------
    scheme : {"zscore", "percentile", "fixed", "none"}
        "zscore": each image by its own mean and deviation, after clipping to its own percentiles.
        "percentile": the percentiles of each image become 0 and 1.
        "fixed": all images by the same `clip`, `shift` and `scale`, measured on the foreground of
        the training images, for intensities with a meaning of their own (Hounsfield units).
        "none": as they are.
    percentiles : tuple of float
        Of the image's own intensities, for the first two schemes.
    clip : tuple of float
        Lowest and highest intensity that is told apart, for "fixed"; empty for none.
    shift, scale : float
        Subtracted, then divided by, for "fixed".
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scheme: Scheme = "zscore"
    percentiles: tuple[Percentile, Percentile] = (0.1, 99.9)
    clip: tuple[Finite, Finite] | tuple[()] = ()
    shift: Finite = 0.0
    scale: Annotated[Finite, Field(gt=0)] = 1.0

    def measure(self, image: Array) -> Rescale:
        """Measure one channel of an image, once.

        Parameters
        ----------
        image : array (*S)
            NumPy, Dask or zarr. Of large images a regular grid of about a million voxels is read,
            the same one for every chunking.

        Returns
        -------
        Rescale
            What to apply to the image, whole or block by block.
        """
        if self.scheme in ("fixed", "none"):
            low, high = self.clip or (-np.inf, np.inf)
            return Rescale(low, high, self.shift, self.scale)
        sample = grid_sample(image)
        if not sample.size:
            return Rescale(-np.inf, np.inf, 0.0, 1.0)
        low, high = (float(q) for q in np.percentile(sample, self.percentiles))
        if self.scheme == "percentile":
            return Rescale(-np.inf, np.inf, low, _divisor(high - low, low))
        clipped = np.clip(sample, low, high)
        mean, deviation = float(clipped.mean()), float(clipped.std())
        return Rescale(low, high, mean, _divisor(deviation, mean))


def grid_sample(image: Array, size: int = _SAMPLE) -> NDArray[np.float64]:
    """Take the finite values on a regular grid of at most about `size` voxels, flat.

    Parameters
    ----------
    image : array (*S)
        NumPy, Dask or zarr.
    size : int
        The grid is as dense as this allows.

    Returns
    -------
    ndarray (N,)
    """
    count = int(np.prod(image.shape))
    step = max(1, int(np.ceil((count / size) ** (1 / max(len(image.shape), 1)))))
    part = image[tuple(slice(None, None, step) for _ in image.shape)]
    values = np.asarray(part, np.float64).ravel()
    return values[np.isfinite(values)]


def statistics(image: Array, normalisation: Sequence[Normalisation]) -> tuple[Rescale, ...]:
    """Measure every channel of an image ``(C, *S)``; the small numbers that `apply` takes."""
    return tuple(n.measure(image[c]) for c, n in enumerate(normalisation))


def apply(block: NDArray[Any], numbers: Sequence[Rescale]) -> NDArray[np.float32]:
    """Normalise a block ``(C, *block)`` of an image with the numbers of its `statistics`."""
    return np.stack([rescale(block[c]) for c, rescale in enumerate(numbers)])


def _divisor(width: float, level: float) -> float:
    """Return a width to divide by; 1 where an image is constant but for rounding."""
    return width if width > 1e-6 * max(abs(level), 1e-12) else 1.0
