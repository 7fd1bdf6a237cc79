"""Orientation: the anatomical direction of each array axis, and turns from one to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.image.stack import SPATIAL, Stack

S = TypeVar("S", bound=Stack)

# World axes in the order ZYX (as everywhere in this package), towards larger coordinates and back.
_DIRECTIONS = {"Z": "SI", "Y": "AP", "X": "RL"}
_WORLD_AXIS = {letter: axis for axis, pair in _DIRECTIONS.items() for letter in pair}


@dataclass(frozen=True)
class Turn:
    """A permutation and reversal of the spatial axes of an array, without interpolation.

    Parameters
    ----------
    order : tuple of int
        For each axis of the result, the axis that it is taken from.
    reverse : tuple of bool
        For each axis of the result, whether it runs the other way.
    """

    order: tuple[int, ...]
    reverse: tuple[bool, ...]

    @property
    def is_identity(self) -> bool:
        return self.order == tuple(range(len(self.order))) and not any(self.reverse)

    def inverse(self) -> Turn:
        """Return the turn that leads back."""
        order = tuple(self.order.index(axis) for axis in range(len(self.order)))
        return Turn(order, tuple(self.reverse[axis] for axis in order))

    def apply(self, array: Array) -> Array:
        """Turn the last axes of an array ``(..., *S)``; a view of NumPy, lazy of Dask."""
        lead = array.ndim - len(self.order)
        turned = array.transpose((*range(lead), *(lead + axis for axis in self.order)))
        steps = tuple(slice(None, None, -1 if r else 1) for r in self.reverse)
        return turned[(slice(None),) * lead + steps]

    def permute(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Bring one value an axis, such as the spacing, into the order of the result."""
        return tuple(values[axis] for axis in self.order)

    def boxes(
        self, columns: dict[str, NDArray[Any]], shape: tuple[int, ...], axes: str
    ) -> dict[str, NDArray[Any]]:
        """Turn ``bbox_<axis>_start`` and ``bbox_<axis>_stop``; other columns are unchanged.

        Parameters
        ----------
        columns : dict of str to array
            Features of objects.
        shape : tuple of int
            Of the array before the turn.
        axes : str
            Letters of its axes, such as "ZYX"; those of the result are the same.
        """
        result = {k: v for k, v in columns.items() if not k.startswith("bbox_")}
        for letter, axis, backward in zip(axes.lower(), self.order, self.reverse, strict=True):
            ends = [columns.get(f"bbox_{axes[axis].lower()}_{e}") for e in ("start", "stop")]
            start, stop = ends
            if start is None or stop is None:
                continue
            new = (shape[axis] - stop, shape[axis] - start) if backward else (start, stop)
            result[f"bbox_{letter}_start"], result[f"bbox_{letter}_stop"] = new
        return result


def orientation_of(stack: Stack) -> str:
    """Name the anatomical direction that each spatial axis runs to, in array order.

    Parameters
    ----------
    stack : Stack
        With an affine to (superior, anterior, right), as NIfTI's and DICOM's readers give it.

    Returns
    -------
    str
        A letter an axis: S or I, A or P, R or L; "SAR" is the order ZYX of a NIfTI file in RAS.
        "" where the stack has no affine, or an axis lies between two directions of which the other
        axes leave none.
    """
    if stack.affine is None:
        return ""
    return _letters(stack.affine, stack.spatial_axes)


def _letters(affine: NDArray[np.float64], spatial: str) -> str:
    from itertools import permutations

    linear = affine[:-1, :-1]
    lengths = np.linalg.norm(linear, axis=0)
    if not lengths.all():
        return ""
    cosines = linear / lengths
    best = max(
        permutations(range(len(spatial))),
        key=lambda rows: sum(abs(cosines[row, column]) for column, row in enumerate(rows)),
    )
    if any(abs(cosines[row, column]) < 1e-6 for column, row in enumerate(best)):
        return ""
    return "".join(
        _DIRECTIONS[spatial[row]][int(cosines[row, column] < 0)] for column, row in enumerate(best)
    )


def turn_between(own: str, wanted: str) -> Turn | None:
    """Return the turn from one orientation to another; None where they name other world axes.

    Examples
    --------
    >>> turn_between("SAR", "SPL")
    Turn(order=(0, 1, 2), reverse=(False, True, True))
    """
    world = [_WORLD_AXIS[letter] for letter in own]
    if sorted(world) != sorted(_WORLD_AXIS[letter] for letter in wanted):
        return None
    order = tuple(world.index(_WORLD_AXIS[letter]) for letter in wanted)
    return Turn(
        order, tuple(own[axis] != letter for axis, letter in zip(order, wanted, strict=True))
    )


def reoriented(stack: S, orientation: str) -> S:
    """Turn a stack to an orientation; unchanged where either orientation is not known.

    Parameters
    ----------
    stack : Image or Labels
        Its maps and features are not carried along; `align` does that.
    orientation : str
        Such as "SAR"; "" changes nothing.
    """
    own = orientation_of(stack)
    turn = turn_between(own, orientation) if own and orientation else None
    if turn is None or turn.is_identity or stack.affine is None:
        return stack
    affine = stack.affine
    lead = "".join(a for a in stack.axes if a not in SPATIAL)
    stack = stack.transpose(lead + stack.spatial_axes)
    shape = tuple(stack.size(a) for a in stack.spatial_axes)
    return stack.replace(
        data=turn.apply(stack.data),
        spacing=turn.permute(tuple(stack.spacing)),
        affine=affine @ index_matrix(turn, shape),
    )


def index_matrix(turn: Turn, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Map indices of the turned array to indices of the array, ``(D + 1, D + 1)``.

    Parameters
    ----------
    turn : Turn
        What was done.
    shape : tuple of int
        Of the spatial axes before the turn.
    """
    matrix = np.zeros((len(shape) + 1, len(shape) + 1))
    matrix[-1, -1] = 1
    for column, (row, backward) in enumerate(zip(turn.order, turn.reverse, strict=True)):
        matrix[row, column] = -1 if backward else 1
        matrix[row, -1] = shape[row] - 1 if backward else 0
    return matrix
