"""Fingerprint: what is measured on the images and labels of a training, without their pixels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.deep.planning.normalisation import grid_sample
from napari_segment.deep.planning.slabs import slabs
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels

QUANTILES = (0.5, 50.0, 99.5)
_FOREGROUND = 4096  # voxels a case from which the foreground's intensities are measured


@dataclass(frozen=True, eq=False)
class Item:
    """What is known of one image (of one time point) and its labels, without their pixels.

    Parameters
    ----------
    case, time : int
        Which case of the pairs; which time point, or -1 without a time axis.
    name : str
        The case's name.
    part : str
        "train" or "validation" where the data set says so, else "".
    shape : tuple of int
        Of the spatial axes.
    spacing : tuple of float
        One number an axis.
    unit : str
        Of the spacing.
    channels : tuple of str
        Names of the image channels.
    quantiles : ndarray (C, 3)
        0.5 %, median and 99.5 % of each channel.
    foreground : ndarray (C, N)
        Intensities of some labelled voxels.
    counts : mapping of int to int
        Voxels of each label.
    dtype : str
        Of the image as it came.
    crop : tuple of slice
        The part of the image that is meant; empty for all of it.
    names : mapping of int to str
        Class names by label number, as the data set or the label file has them.
    """

    case: int
    time: int
    name: str
    part: str
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    unit: str
    channels: tuple[str, ...]
    quantiles: NDArray[np.float64]
    foreground: NDArray[np.float64]
    counts: Mapping[int, int]
    dtype: str
    crop: tuple[slice, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)


def measured(
    case: int,
    time: int,
    part: str,
    image: Image,
    labels: Labels,
    ignore_index: int | None = None,
) -> Item:
    """Measure one image with its labels, of which all axes are in canonical order.

    Parameters
    ----------
    case, time, part
        As in `Item`.
    image, labels : Image, Labels
        Of one time point; their pixels may be lazy and are read slab by slab.
    ignore_index : int, optional
        The label of voxels without annotation, as negative ones are.

    Returns
    -------
    Item
    """
    pixels, marked = channels_first(image), labels.data
    counts = _counted(marked)
    classes = [value for value in counts if value > 0 and value != ignore_index]
    samples = [grid_sample(channel, 2**16) for channel in pixels]
    quantiles = [np.percentile(s, QUANTILES) if s.size else np.zeros(3) for s in samples]
    return Item(
        case, time, image.name, part, labels.shape, tuple(image.spacing), image.unit,
        image.channels or tuple(f"channel {c}" for c in range(len(pixels))),
        np.array(quantiles), _foreground(pixels, marked, counts, classes), counts,
        str(image.dtype), names=labels.names,
    )  # fmt: skip


def _counted(marked: Array) -> dict[int, int]:
    """Voxels of each label."""
    voxels: Counter[int] = Counter()
    for rows in slabs(marked.shape):
        values, counts = np.unique(np.asarray(marked[rows]), return_counts=True)
        voxels.update(dict(zip(values.tolist(), counts.tolist(), strict=True)))
    return dict(sorted(voxels.items()))


def _foreground(
    pixels: Array, marked: Array, counts: Mapping[int, int], classes: Sequence[int]
) -> NDArray[np.float64]:
    """Intensities ``(C, N)`` of labelled voxels, every so manyeth of them."""
    step = max(1, sum(counts[value] for value in classes) // _FOREGROUND)
    parts, seen = [], 0
    for rows in slabs(marked.shape):
        where = np.flatnonzero(np.isin(np.asarray(marked[rows]), classes))
        chosen = where[-seen % step :: step]
        seen += where.size
        if chosen.size:
            part = np.asarray(pixels[:, rows])
            parts.append(part.reshape(len(part), -1)[:, chosen].astype(np.float64))
    return np.concatenate(parts, axis=1) if parts else np.zeros((len(pixels), 0))


def channels_first(image: Image) -> Array:
    """Pixels ``(C, *S)`` of an image whose axes are in canonical order."""
    pixels: Array = image.data if "C" in image.axes else image.data[None]
    return pixels


def intensity_ranges(items: Sequence[Item]) -> tuple[tuple[float, float], ...]:
    """Return of each channel the lowest and the highest of the outer quantiles of all items."""
    quantiles = np.array([item.quantiles for item in items], np.float64)
    low, high = quantiles[:, :, 0].min(0), quantiles[:, :, -1].max(0)
    return tuple(zip(low.tolist(), high.tolist(), strict=True))


def check_alike(items: Sequence[Item]) -> None:
    """Check that all items have as many axes and channels as the first.

    Raises
    ------
    InputError
        Naming the two cases that differ.
    """
    first = items[0]
    for item in items:
        if len(item.shape) != len(first.shape):
            raise InputError(
                f"{first.name!r} is {len(first.shape)}-D but {item.name!r} is "
                f"{len(item.shape)}-D. Train on images of one dimension, or name their axes."
            )
        if len(item.channels) != len(first.channels):
            raise InputError(
                f"{first.name!r} has {len(first.channels)} channels but {item.name!r} has "
                f"{len(item.channels)}. All images must have the same channels."
            )
        if item.channels != first.channels and sorted(item.channels) == sorted(first.channels):
            raise InputError(
                f"{first.name!r} has the channels {', '.join(first.channels)}, {item.name!r} has "
                f"{', '.join(item.channels)}: the same in another order. Bring all images to one "
                "order of channels."
            )
