"""Strokes of napari's brush, fill and polygon as edits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeGuard

import numpy as np
from numpy.typing import NDArray

from napari_segment.recipe import Edit
from napari_segment.results.edits.change import Change, Editable
from napari_segment.results.edits.shapes import runs_of

if TYPE_CHECKING:
    from napari.layers.labels.labels import _MaskedPaintAtom

_LONGEST = 50_000  # characters of runs; recipes take values of up to 65,536

# Of napari: a mask in a box with its former values, or indices, former and new values.
Atom: TypeAlias = "_MaskedPaintAtom | tuple[Any, NDArray[Any], NDArray[Any] | int]"


def edits_of_stroke(data: Editable, atoms: Sequence[Atom]) -> list[tuple[Edit, Change]]:
    """Return what a stroke paints as one edit for each number.

    Parameters
    ----------
    data : ndarray or zarr Array
        The layer's data, whether the stroke is in them already or is only about to be written.
    atoms : sequence
        What napari's event ``paint`` says: masks in boxes with their former values, or
        indices with former and new values.

    Returns
    -------
    list of (Edit, Change)
        Empty where nothing changes.
    """
    boxes = [_box_of(atom) for atom in atoms]
    if not boxes:
        return []
    where = tuple(
        slice(min(s.start for s in sides), max(s.stop for s in sides))
        for sides in zip(*boxes, strict=True)
    )
    before = np.array(data[where])
    for atom, box in zip(reversed(atoms), reversed(boxes), strict=True):
        _put(before, atom, box, where, former=True)
    after = before.copy()
    for atom, box in zip(atoms, boxes, strict=True):
        _put(after, atom, box, where, former=False)
    edits: list[tuple[Edit, Change]] = []
    for number in np.unique(after[before != after]).tolist():
        indices = np.argwhere((before != after) & (after == number))
        starts = [side.start for side in where]
        count = len(runs_of(indices + starts, data.shape)) // _LONGEST + 1
        for part in np.array_split(indices, count):
            partly = before.copy()
            partly[tuple(part.T)] = number
            change = Change.of(where, before, partly)
            assert change is not None
            settings = {"runs": runs_of(part + starts, data.shape), "number": number}
            edits.append((Edit(name="paint", settings=settings), change))
            before = partly
    return edits


def _is_masked(atom: Atom) -> TypeGuard[_MaskedPaintAtom]:
    """Whether an atom is a mask in a box, which is a tuple as well."""
    return hasattr(atom, "slice_key")


def _box_of(atom: Atom) -> tuple[slice, ...]:
    if _is_masked(atom):
        return tuple(atom.slice_key)
    axes = [np.atleast_1d(np.asarray(axis)) for axis in atom[0]]
    return tuple(slice(int(axis.min()), int(axis.max()) + 1) for axis in axes)


def _put(
    part: NDArray[Any],
    atom: Atom,
    box: tuple[slice, ...],
    where: tuple[slice, ...],
    *,
    former: bool,
) -> None:
    """Put the former or the new values of an atom into a part of the data."""
    starts = [s.start for s in where]
    if not _is_masked(atom):
        indices = tuple(np.asarray(axis) - s for axis, s in zip(atom[0], starts, strict=True))
        part[indices] = atom[1] if former else atom[2]
        return
    inner = tuple(slice(b.start - s, b.stop - s) for b, s in zip(box, starts, strict=True))
    values = atom.old_values if former else atom.new_value
    if atom.mask is None:
        part[inner] = values
    else:
        part[inner][atom.mask] = values
