"""Preprocessing of a bundle by MONAI's own transforms (torch)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, prod
from typing import Any

import numpy as np
import torch
from monai import transforms
from monai.data import MetaTensor
from numpy.typing import NDArray

from napari_segment.errors import FormatError
from napari_segment.exchange.monai_bundle.bundle import Component
from napari_segment.image import Turn

_MOST = 2**24  # voxels that any image may be resampled to
_FACTOR = 64  # times its own
# Given where MONAI would ask the image, with a warning at every call.
_FIXED = {"Orientation": {"labels": (("L", "R"), ("P", "A"), ("I", "S"))}}


@dataclass(frozen=True)
class Preprocessed:
    """What the network sees, and how it lies on the image.

    Parameters
    ----------
    array : ndarray (C, *N)
        float32, axes in the network's order.
    turn : Turn
        From the image's axes to the network's.
    positions : tuple of ndarray
        For each axis of the turned image where its voxels lie on the network's grid, ascending.
    """

    array: NDArray[np.float32]
    turn: Turn
    positions: tuple[NDArray[np.float64], ...]


def preprocess(
    image: NDArray[Any], spacing: Sequence[float], orientation: str, steps: Sequence[Component]
) -> Preprocessed:
    """Run the transforms of a bundle.

    Parameters
    ----------
    image : array (C, *S)
        With the axes in the order X, Y, Z.
    spacing : sequence of float
        Of these axes, in millimetres.
    orientation : str
        Direction to which each axis runs, in the same order; "" for RAS.
    steps : sequence of Component
        Of the list of transforms.

    Raises
    ------
    FormatError
        If MONAI does not take the arguments of one, naming its location.
    """
    own = affine(spacing, orientation)
    values: Any = MetaTensor(
        torch.from_numpy(np.ascontiguousarray(image, np.float32)),
        affine=torch.from_numpy(own), meta={"space": "RAS"},
    )  # fmt: skip
    for step in steps:
        values = _run(step, values)
    matrix = np.linalg.inv(np.asarray(values.affine, np.float64)) @ own
    array = np.asarray(values.as_tensor().numpy(), np.float32)
    return Preprocessed(array, *_grid(matrix, image.shape[1:], array.shape[1:]))


def affine(spacing: Sequence[float], orientation: str = "") -> NDArray[np.float64]:
    """Return the map from indices to millimetres towards right, anterior and superior, (4, 4)."""
    result = np.diag([*spacing, *[1.0] * (4 - len(spacing))])
    if len(orientation) == 3:
        result[:3, :3] = 0
        for axis, (letter, step) in enumerate(zip(orientation, spacing, strict=True)):
            row = next(i for i, pair in enumerate(("RL", "AP", "SI")) if letter in pair)
            result[row, axis] = step if letter in "RAS" else -step
    return result


def _run(step: Component, values: Any) -> Any:
    if step.name == "Spacing":
        _check_spacing(step, values)
    try:
        more = _FIXED.get(step.name, {})
        result = getattr(transforms, step.name)(**step.arguments, **more)(values)
    except Exception as error:
        raise FormatError(f"{step.location} ({step.name}) cannot be run: {error}") from None
    return result


def _check_spacing(step: Component, values: Any) -> None:
    """Refuse a spacing that is none, or that would fill the memory."""
    wanted = step.arguments.get("pixdim", 1.0)
    each = wanted if isinstance(wanted, list) else [wanted]
    numbers = [float(n) for n in each if isinstance(n, int | float)]
    if len(numbers) != len(each) or not all(isfinite(n) and n >= 0 for n in numbers):
        raise FormatError(f"{step.location}.pixdim is {wanted!r}: give a positive number an axis.")
    shape = values.shape[1:]
    own = [float(n) for n in values.pixdim[: len(shape)]]
    numbers = [*numbers, *([numbers[-1]] if len(numbers) == 1 else own[len(numbers) :]) * 2]
    sizes = [
        n * (s / t if t else 1.0) for n, s, t in zip(shape, own, numbers[: len(shape)], strict=True)
    ]
    if prod(sizes) > max(_MOST, _FACTOR * prod(shape)):
        raise FormatError(
            f"{step.location} would make {prod(sizes):,.0f} voxels of {prod(shape):,}: it asks for "
            f"the spacing {wanted} and the image has {tuple(own)} mm. Is the image's unit right?"
        )


def _grid(
    matrix: NDArray[np.float64], shape: Sequence[int], network: Sequence[int]
) -> tuple[Turn, tuple[NDArray[np.float64], ...]]:
    """Return how the network's grid lies on the image's, from the map of indices between them."""
    count = len(shape)
    linear = matrix[:count, :count]
    order = tuple(int(np.abs(row).argmax()) for row in linear)
    reverse, positions = [], []
    for row, (axis, size) in enumerate(zip(order, network, strict=True)):
        along = linear[row, axis] * np.arange(shape[axis]) + matrix[row, 3]
        reverse.append(bool(linear[row, axis] < 0))
        along = along[::-1] if reverse[-1] else along
        whole = np.rint(along)
        along = np.where(np.abs(along - whole) < 1e-6, whole, along)
        positions.append(np.clip(along, 0, size - 1))
    return Turn(order, tuple(reverse)), tuple(positions)
