"""Describe what an image has that the training images of a network had not: said, not refused."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.planning.fingerprint import QUANTILES
from napari_segment.deep.planning.normalisation import grid_sample

_FACTOR = 4  # from which on voxels differ in size so much that the spacing may be wrong
_PLANES = (1, 3, 5)  # sixths of a volume at which its intensities are sampled


def differences(
    checkpoint: Checkpoint, image: Any, spacing: Sequence[float]
) -> Generator[str, None, None]:
    """Say in what an image differs from the training images so much that it may be a mistake.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network.
    image : array (C, *S)
        NumPy, Dask or zarr; of volumes three planes are read.
    spacing : sequence of float
        In the unit of the checkpoint; empty where it is not known.

    Yields
    ------
    str
        One sentence or two for each difference.
    """
    yield from _of_spacing(checkpoint, spacing)
    yield from _of_intensities(checkpoint, image)


def order_of_channels(checkpoint: Checkpoint, names: Sequence[str]) -> Generator[str, None, None]:
    """Say that an image has the channels of the training images in another order.

    Parameters
    ----------
    checkpoint : Checkpoint
        The network.
    names : sequence of str
        Names of the image's channels; empty where they are not known.
    """
    own, trained = ([n.strip().lower() for n in each] for each in (names, checkpoint.channels))
    if own == trained or sorted(own) != sorted(trained):
        return
    yield (
        f"The channels of the image are {', '.join(names)}, those of the training images were "
        f"{', '.join(checkpoint.channels)}: the same in another order, and the network takes them "
        "by their position. Give the image with its channels in the order of the training."
    )


def _of_spacing(checkpoint: Checkpoint, spacing: Sequence[float]) -> Generator[str, None, None]:
    axes = min(len(checkpoint.spacing), len(spacing))
    if not axes:
        return
    spacing, trained = spacing[-axes:], checkpoint.spacing[-axes:]
    ratios = np.divide(spacing, trained)
    if ratios.max() < _FACTOR and ratios.min() > 1 / _FACTOR:
        return
    own, theirs = ("×".join(f"{s:.4g}" for s in sides) for sides in (spacing, trained))
    yield (
        f"The spacing of the image is {own} {checkpoint.unit}, that of the training images was "
        f"{theirs}: the image is resampled by a factor of {ratios.max():.3g} (at most) and "
        f"{ratios.min():.3g} (at least). Check its spacing and unit."
    )


def _of_intensities(checkpoint: Checkpoint, image: Any) -> Generator[str, None, None]:
    """Differences of the range of intensities, where each image is not normalised by itself."""
    if not 0 < len(checkpoint.intensities) == len(image):
        return
    for number, (low, high) in enumerate(checkpoint.intensities):
        if checkpoint.normalisation[number].scheme not in ("fixed", "none"):
            continue
        values = _sample(image[number])
        if not values.size:
            continue
        own_low, _, own_high = np.percentile(values, QUANTILES)
        if _are_alike((own_low, own_high), (low, high)):
            continue
        channel = f" of channel {checkpoint.channels[number]!r}" if len(image) > 1 else ""
        yield (
            f"The intensities{channel} of the image are {own_low:.4g} to {own_high:.4g} (0.5 to "
            f"99.5 %), those of the training images were {low:.4g} to {high:.4g}, and the network "
            "has one scale for all images. Give the image the same scale (such as Hounsfield "
            "units)."
        )


def _sample(channel: Any) -> NDArray[np.float64]:
    if len(channel.shape) < 3:
        return grid_sample(channel, 2**16)
    count = channel.shape[0]
    planes = sorted({count * sixth // 6 for sixth in _PLANES})
    return np.concatenate([grid_sample(channel[plane], 2**16) for plane in planes])


def _are_alike(own: tuple[float, float], trained: tuple[float, float]) -> bool:
    """Whether an image's range may be one of those of training: a part of it, or a little more."""
    width = trained[1] - trained[0]
    low, high = (end - end_of_training for end, end_of_training in zip(own, trained, strict=True))
    return -width / 2 <= low <= width / 4 and -0.75 * width <= high <= width
