"""Packages that this project published, read again as the networks that they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.errors import InputError
from napari_segment.exchange.bioimageio.package import Package
from napari_segment.image.units import length_factor
from napari_segment.registry import Result

KEY = "napari_segment"  # of the description's `config`
_LIKE = 0.02  # relative difference of spacings that are taken as the same


def checkpoint_of(package: Package) -> Checkpoint | None:
    """Return the checkpoint that a package was published from; None of all others."""
    config = package.description.get("config")
    own = config.get(KEY) if isinstance(config, Mapping) else None
    if not isinstance(own, Mapping) or not isinstance(own.get("model"), Mapping):
        return None
    try:
        return Checkpoint.model_validate({**own["model"], "folder": package.folder})
    except ValueError:
        return None


def check_spacing(checkpoint: Checkpoint, spacing: Sequence[float], unit: str) -> None:
    """Refuse an image whose voxels differ in size from those of the training.

    Raises
    ------
    InputError
        With both spacings.
    """
    factor = length_factor(unit, checkpoint.unit) if unit else None
    wanted = checkpoint.spacing[-checkpoint.ndim :]
    if factor is None or not wanted or not spacing:
        return
    present = tuple(s * factor for s in spacing[-checkpoint.ndim :])
    if any(abs(p / w - 1) > _LIKE for p, w in zip(present, wanted, strict=True)):
        raise InputError(
            f"The network expects a spacing of {wanted} {checkpoint.unit}, the image has "
            f"{present}. Resample the image (filter 'resample'), or use the checkpoint itself with "
            "the method 'network', which does it."
        )


def decoded(
    checkpoint: Checkpoint, values: NDArray[np.float32], threshold: float, *, stacked: bool
) -> Result:
    """Return labels from the probabilities ``(K, *S)`` of a published network.

    Parameters
    ----------
    checkpoint : Checkpoint
        What was published.
    values : ndarray (K, *S)
        Probabilities.
    threshold : float
        Of a mask, and of classes that exclude no other.
    stacked : bool
        Whether a 2-D network has segmented the planes of a stack.
    """
    if checkpoint.objects is not None:
        from napari_segment.deep.data.targets import decode, decode_planes

        decoding = decode_planes if stacked else decode
        return Result(decoding(values, checkpoint.objects), "objects", checkpoint.names)
    if checkpoint.holds == "mask":
        index = min(1, len(values) - 1)
        return Result(values[index] > threshold, "mask", checkpoint.names)
    classes: NDArray[Any] = values.argmax(0)
    if checkpoint.activation == "sigmoid":
        classes = np.where(values.max(0) > threshold, classes + 1, 0)
    numbers = np.array(checkpoint.values, np.min_scalar_type(max(checkpoint.values, default=1)))
    return Result(numbers[classes], "classes", checkpoint.names, checkpoint.values)
