"""Where the edits of a layer are written, and whether there are some from an earlier session."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_segment.api.editing.record import in_effect, parse
from napari_segment.errors import FormatError
from napari_segment.io import is_inside, journal_path
from napari_segment.io.journal import read_lines
from napari_segment.results.edits.checksum import as_text
from napari_segment.widgets.layers.conversion import KEY

if TYPE_CHECKING:
    from napari.layers import Labels as LabelsLayer

_SEVERAL = 100  # journals of other labels next to one file


@dataclass(frozen=True)
class Earlier:
    """The journal of a layer, and what is in it.

    Parameters
    ----------
    path : Path
        Where edits are written.
    count : int
        Edits of an earlier session that belong to the layer's labels.
    when : str
        When the last of them was made.
    is_last : bool
        Whether the labels are what the last of them left.
    """

    path: Path
    count: int = 0
    when: str = ""
    is_last: bool = False


def earlier_edits(layer: LabelsLayer, checksum: int) -> Earlier:
    """Return the journal for a layer: next to its file, else in the user's folder.

    Parameters
    ----------
    layer : napari Labels layer
        That is edited.
    checksum : int
        Of its data.

    Returns
    -------
    Earlier
        A journal of other labels is left as it is, and another name taken.
    """
    state = as_text(checksum, layer.data.shape)
    first = (
        recorded_journal(layer) or _next_to_file(layer) or _own_folder() / f"{state}.edits.jsonl"
    )
    for number in range(1, _SEVERAL):
        ending = ".edits.jsonl"
        name = first.name.removesuffix(ending)
        path = first if number == 1 else first.with_name(f"{name}.{number}{ending}")
        if not path.exists():
            return Earlier(path)
        with suppress(FormatError):
            lines, _ = read_lines(path)
            if not lines:
                return Earlier(path)
            header, steps = parse(lines, str(path), layer.data.shape)
            states = [header["checksum"], *(step.checksum for step in steps)]
            stored = not isinstance(layer.data, np.ndarray)  # it may have been left half written
            if state in states or (stored and tuple(header["shape"]) == layer.data.shape):
                count = len(in_effect(steps)[0])
                when = str(lines[-1].get("when", ""))
                return Earlier(path, count, when, state == states[-1])
    return Earlier(first.with_name(f"{datetime.now():%Y-%m-%d %H.%M.%S}.edits.jsonl"))


def record_journal(layer: LabelsLayer, path: Path) -> None:
    """Note in a layer where its edits are written, for when it is corrected again."""
    layer.metadata[KEY] = {**(layer.metadata.get(KEY) or {}), "journal": str(path)}


def recorded_journal(layer: LabelsLayer) -> Path | None:
    """Return where the edits of a layer were written in this window."""
    saved = (layer.metadata.get(KEY) or {}).get("journal")
    return Path(saved) if saved else None


def put_aside(path: Path) -> Path:
    """Rename a journal, so that another can begin under its name; nothing is lost."""
    aside = path.with_name(
        f"{path.name.removesuffix('.jsonl')}.{datetime.now():%Y%m%d-%H%M%S}.jsonl"
    )
    path.rename(aside)
    return aside


def _next_to_file(layer: LabelsLayer) -> Path | None:
    """The journal next to the layer's file, where its folder can be written to."""
    source = layer.source.path
    if not source or "://" in str(source):
        return None
    path = Path(source)
    if not path.exists() or is_inside(path) or not os.access(path.parent, os.W_OK):
        return None
    return journal_path(path)


def _own_folder() -> Path:
    return Path.home() / "napari-segment" / "edits"
