"""What a journal of edits holds: a header that names the labels, and a line for each step."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_segment.distribution import version
from napari_segment.errors import FormatError
from napari_segment.recipe import Edit
from napari_segment.results.edits.change import Change, Editable
from napari_segment.results.edits.checksum import as_text
from napari_segment.results.edits.history import History, Made

FORMAT = "napari-segment edits"
VERSION = 1
Kind: TypeAlias = Literal["edit", "undo", "redo"]


@dataclass(frozen=True, eq=False)
class Line:
    """One step of a journal.

    Parameters
    ----------
    kind : {"edit", "undo", "redo"}
        What was done.
    checksum : str
        Of the labels after it.
    made : Made, optional
        The edit and what it changed, for "edit".
    """

    kind: Kind
    checksum: str
    made: Made | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        plain: dict[str, Any] = {"step": self.kind}
        if self.made is not None:
            plain["edit"] = self.made.edit.model_dump(mode="json")
            plain["changes"] = [change.to_plain() for change in self.made.changes]
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        return {**plain, "checksum": self.checksum, "when": now}

    @classmethod
    def from_plain(cls, values: dict[str, Any], number: int, most: int) -> Line:
        """Read a line.

        Raises
        ------
        FormatError
            If it is none; naming its number.
        """
        try:
            kind, checksum = values["step"], values["checksum"]
            if not _is_state(checksum):
                raise ValueError("its checksum is none")
            if kind not in ("edit", "undo", "redo"):
                raise ValueError(f"the step {kind!r} is not known")
            if kind != "edit":
                return cls(kind, checksum)
            changes = tuple(Change.from_plain(change, most) for change in values["changes"])
            return cls(kind, checksum, Made.of(Edit.model_validate(values["edit"]), changes))
        except (KeyError, TypeError, ValueError, FormatError) as error:
            raise FormatError(f"Line {number} of the journal is no edit: {error}") from None


def _is_state(text: object) -> bool:
    """Whether a text is a checksum with its shape."""
    return isinstance(text, str) and re.fullmatch(r"[0-9a-f]{16}-[0-9x]{1,100}", text) is not None


def header_of(history: History, name: str) -> dict[str, Any]:
    """Return the first line of a journal, which says what labels it is begun on."""
    return {
        "journal": FORMAT, "version": VERSION, "software": version(), "labels": name,
        "axes": history.axes, "shape": list(history.labels.shape),
        "dtype": str(history.labels.dtype), "spacing": list(history.spacing),
        "checksum": as_text(history.checksum, history.labels.shape),
    }  # fmt: skip


def checked_header(lines: Sequence[dict[str, Any]], source: str) -> dict[str, Any]:
    """Return the header of a journal of edits.

    Raises
    ------
    FormatError
        If it is none, or written by a later version.
    """
    header = lines[0] if lines else {}
    shape, checksum = header.get("shape"), header.get("checksum")
    known = header.get("journal") == FORMAT and _is_state(checksum)
    if not known or not isinstance(shape, list) or not all(isinstance(n, int) for n in shape):
        raise FormatError(f"{source} is no journal of edits: its first line does not say so.")
    if header.get("version") != VERSION:
        raise FormatError(
            f"{source} is a journal of version {header.get('version')}; this napari-segment reads "
            f"version {VERSION}. Update it."
        )
    return header


def parse(
    lines: Sequence[dict[str, Any]], source: str, shape: Sequence[int]
) -> tuple[dict[str, Any], list[Line]]:
    """Read the header and the steps of a journal for labels of a shape.

    Raises
    ------
    FormatError
        If it is no journal of edits, or a line is no step.
    """
    header = checked_header(lines, source)
    most = int(np.prod(shape))
    return header, [Line.from_plain(line, n, most) for n, line in enumerate(lines[1:], 2)]


def in_effect(lines: Sequence[Line]) -> tuple[list[Made], list[Made]]:
    """Return the edits that are made after some steps, and those that are undone.

    Raises
    ------
    FormatError
        If a step undoes what was not made.
    """
    done: list[Made] = []
    undone: list[Made] = []
    for number, line in enumerate(lines, 2):
        if line.made is not None:
            done.append(line.made)
            undone.clear()
            continue
        source, target = (done, undone) if line.kind == "undo" else (undone, done)
        if not source:
            raise FormatError(f"Line {number} of the journal says {line.kind}, but nothing can be.")
        target.append(source.pop())
    return done, undone


def values_before(
    changes: Sequence[Change], shape: tuple[int, ...]
) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the voxels that several changes wrote, and what they were before the first."""
    if not changes:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    positions = np.concatenate([change.positions(shape) for change in changes])
    values = np.concatenate([change.values()[0] for change in changes])
    voxels, first = np.unique(positions, return_index=True)
    return voxels, values[first]


def values_now(
    labels: Editable, changes: Sequence[Change], voxels: NDArray[np.int64]
) -> NDArray[Any]:
    """Return what labels hold in voxels that changes wrote."""
    shape = tuple(labels.shape)
    positions = [change.positions(shape) for change in changes]
    parts = [np.asarray(labels[c.where])[c.voxels()] for c in changes]
    every, values = np.concatenate(positions), np.concatenate(parts)
    order = np.argsort(every, kind="stable")
    return np.asarray(values[order[np.searchsorted(every[order], voxels)]])
