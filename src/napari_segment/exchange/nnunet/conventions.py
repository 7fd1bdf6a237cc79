"""The conventions of nnU-Net's readers: order of axes, orientation, spacing and its unit."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

from napari_segment.arrays import Array
from napari_segment.errors import InputError
from napari_segment.exchange.nnunet.folder import TrainedFolder
from napari_segment.exchange.nnunet.grids.preprocessing import network_spacing
from napari_segment.image import Turn, turn_between
from napari_segment.image.units import length_factor

_FLAT = 999  # times the largest spacing, that of the one plane of a 2-D image
RAS = "SAR"  # the array order Z, Y, X of an image in RAS
_UNIT = "millimeter"


@dataclass(frozen=True)
class ReadImage:
    """An image in the form in which nnU-Net's reader gives it.

    Parameters
    ----------
    array : array (C, Z, Y, X)
        A 2-D image has one plane.
    spacing : tuple of float
        Of Z, Y and X, in millimetres or as the reader counts.
    turn : Turn or None
        What was done to the spatial axes.
    flat : bool
        Whether the image is 2-D.
    notes : tuple of str
        What is to be said of it.
    """

    array: Array
    spacing: tuple[float, ...]
    turn: Turn | None
    flat: bool
    notes: tuple[str, ...]

    def back(self, labels: Array) -> Array:
        """Bring labels ``(Z, Y, X)`` back to the axes of the image."""
        labels = labels if self.turn is None else self.turn.inverse().apply(labels)
        return labels[0] if self.flat else labels


def as_read(
    trained: TrainedFolder, image: Array, spacing: Sequence[float], unit: str, orientation: str
) -> ReadImage:
    """Return an image as the reader of the training images would give it.

    Parameters
    ----------
    trained : TrainedFolder
        Whose plans name the reader.
    image : array (C, *S) or (*S)
        With two or three spatial axes.
    spacing : sequence of float
        Of the spatial axes; its length says how many there are.
    unit : str
        Of the spacing.
    orientation : str
        Anatomical direction of each axis, or "".
    """
    dimensions = len(spacing) or len(trained.configuration.patch)
    image = image[None] if len(image.shape) == dimensions else image
    _check(trained, image)
    flat = len(image.shape) == 3
    own, notes = _spacing(trained, tuple(spacing) or (1.0,) * dimensions, unit)
    if flat:
        image, own = image[:, None], (max(own) * _FLAT, *own)
    own = own if notes == () else network_spacing(trained.configuration, own)
    turn = _turn(trained, orientation) if not flat else None
    if turn is not None:
        image, own = turn.apply(image), turn.permute(own)
    notes += _unusual(trained, orientation)
    return ReadImage(image, own, turn, flat, notes)


def _check(trained: TrainedFolder, image: Array) -> None:
    plans, patch = trained.plans, trained.configuration.patch
    channels, dimensions = int(image.shape[0]), len(image.shape) - 1
    if channels != len(plans.channels):
        raise InputError(
            f"The network takes {len(plans.channels)} channel(s) ({', '.join(plans.channels)}), "
            f"but the image has {channels}. Choose as many with the filter 'channels'."
        )
    if dimensions < len(patch):
        raise InputError(
            f"The configuration {trained.configuration.name!r} takes volumes, but the image is "
            f"{dimensions}-D. Give a stack with a Z axis, and apply_to='auto'."
        )


def _spacing(
    trained: TrainedFolder, spacing: tuple[float, ...], unit: str
) -> tuple[tuple[float, ...], tuple[str, ...]]:
    """Return the spacing as the reader gives it, and a note where it is not known."""
    reader = trained.plans.reader
    if reader == "NaturalImage2DIO":
        return (1.0,) * len(spacing), ()
    if reader == "Tiff3DIO":
        return spacing, ()
    factor = 1.0 if unit == "" else length_factor(unit, _UNIT)
    if factor is not None:
        return tuple(s * factor for s in spacing), ()
    return spacing, (
        f"The image is not resampled: its spacing is in {unit}, that of the network in "
        f"{_UNIT}s. Give the image its spacing and unit if its voxels differ in size from those "
        "of the training.",
    )


def _turn(trained: TrainedFolder, orientation: str) -> Turn | None:
    """Return the turn to RAS where the reader of the training images made it."""
    if not trained.plans.reader.endswith("WithReorient") or len(orientation) != 3:
        return None
    turn = turn_between(orientation, RAS)
    return None if turn is None or turn.is_identity else turn


def _unusual(trained: TrainedFolder, orientation: str) -> tuple[str, ...]:
    """Say where the axes of an image run in another order than those of most images."""
    turned = trained.plans.reader.endswith("WithReorient")
    if turned or len(orientation) != 3 or turn_order(orientation) == (0, 1, 2):
        return ()
    return (
        f"The axes of the image run to {orientation} (most medical images: {RAS} or {RAS[0]}PL). "
        "nnU-Net takes voxels in the order in which they are stored and knows no orientation: turn "
        "the image to that of the training images if the labels look wrong.",
    )


def turn_order(orientation: str) -> tuple[int, ...]:
    """Return the order of axes that leads from an orientation to RAS."""
    turn = turn_between(orientation, RAS)
    return (0, 1, 2) if turn is None else turn.order


def warn(note: str) -> None:
    """Say a note as a warning too."""
    warnings.warn(note, stacklevel=3)
