"""Pictures of one plane: an image, its labels, and the labels over the image."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.image import Image, Labels, Stack

S = TypeVar("S", bound=Stack)
Picture = NDArray[np.uint8]  # (Y, X, 3)

_GOLDEN = 0.61803398875  # of a turn: hues of neighbouring numbers lie far apart
_OPAQUE = 0.35  # of the labels over an image, but for their outlines


def picture(image: Image, labels: Labels) -> Picture:
    """Draw image, labels, and the labels over the image side by side.

    Parameters
    ----------
    image : Image
        What was segmented. Colours are shown as such, of other channels the first.
    labels : Labels
        With the image's axes but C. A mask is white, every other number has its own colour.

    Returns
    -------
    ndarray of uint8 (Y, 3 X, 3)
        Of the middle plane of a volume, at the first time point.
    """
    seen, marked = _plane(image), np.asarray(_plane(labels).canonical().compute().data)
    base = _shown(seen.compute())
    return np.concatenate([base, coloured(marked), overlay(base, marked)], axis=1)


def grey(plane: NDArray[Any]) -> Picture:
    """Return intensities ``(Y, X)`` as greys, from the 1st to the 99th percentile."""
    values = np.nan_to_num(plane.astype(np.float32))
    low, high = np.percentile(values, (1, 99)) if values.size else (0.0, 1.0)
    scaled = np.clip((values - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=-1)


def coloured(labels: NDArray[Any]) -> Picture:
    """Label numbers ``(Y, X)`` as colours; 0 and unlabelled are black, a mask is white."""
    number = np.maximum(labels, 0).astype(np.int64)
    if number.max(initial=0) <= 1:
        return np.repeat((number * 255).astype(np.uint8)[..., None], 3, axis=-1)
    hue = (number * _GOLDEN) % 1.0
    phase = (hue[..., None] + np.array([0.0, 1 / 3, 2 / 3])) * 2 * np.pi
    colour = (127 + 120 * np.cos(phase)).astype(np.uint8)
    return np.where(number[..., None] > 0, colour, np.uint8(0))


def overlay(base: Picture, labels: NDArray[Any]) -> Picture:
    """Return labels laid over a picture of the same plane: a tint, and their outlines."""
    numbers = np.maximum(labels, 0).astype(np.int64)
    tint = coloured(numbers if numbers.max(initial=0) > 1 else numbers * 2)  # no white veil
    share = np.where(_outline(numbers), 1.0, _OPAQUE)[..., None] * (numbers > 0)[..., None]
    blended: Picture = (base * (1 - share) + tint * share).astype(np.uint8)
    return blended


def _outline(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the labelled pixels that touch another number."""
    outline = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        differs = np.diff(labels, axis=axis) != 0
        before = [slice(None), slice(None)]
        before[axis] = slice(1, None)
        outline[tuple(before)] |= differs
        before[axis] = slice(None, -1)
        outline[tuple(before)] |= differs
    return outline & (labels > 0)


def _plane(stack: S) -> S:
    for axis, position in (("T", 0), ("Z", stack.size("Z") // 2)):
        if axis in stack.axes:
            stack = stack.take(axis, position)
    return stack


def _shown(image: Image) -> Picture:
    if not image.is_rgb:
        return grey(np.asarray(image.channel(0).canonical().data))
    colours: Picture = np.asarray(image.transpose("YXC").data[..., :3])
    if colours.dtype == np.uint8:
        return colours
    scaled = np.clip(colours.astype(np.float32) / max(float(colours.max(initial=0)), 1e-6), 0, 1)
    return np.asarray(scaled * 255, np.uint8)
