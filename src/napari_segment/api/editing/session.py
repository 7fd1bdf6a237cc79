"""EditSession: edits on one array, undone and redone, each written to a journal as it happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from napari_segment.api.editing.record import (
    Line,
    checked_header,
    header_of,
    in_effect,
    parse,
    values_before,
    values_now,
)
from napari_segment.errors import FormatError, InputError
from napari_segment.io.journal import JournalFile
from napari_segment.recipe import Edit
from napari_segment.results.edits.change import Change
from napari_segment.results.edits.checksum import as_text, changed
from napari_segment.results.edits.history import History, Made


class EditSession:
    """Labels that are edited, with undo and redo without limit.

    An edit is written to the journal, and is on the disk, before the labels change: whatever was
    acknowledged survives the end of the process. A session that is begun with the journal of an
    earlier one goes on where that was, whether the labels are those of its beginning, of its end
    or of any moment between.

    Parameters
    ----------
    history : History
        The labels. `edit_session` makes it of files, arrays and layers.
    journal : str or Path, optional
        File of the edits (``.jsonl``); without one nothing is written.
    name : str
        What the labels are called, for the header of a new journal.

    Raises
    ------
    FormatError
        If the journal cannot be read or written.
    InputError
        If the labels are not those of the journal.
    SettingError
        If another process has the journal open.
    """

    def __init__(
        self, history: History, journal: str | Path | None = None, *, name: str = ""
    ) -> None:
        self.history = history
        self.resumed = 0
        self._file: JournalFile | None = None
        self._states: list[int] = []  # checksums before each edit that is made, and now
        self._undone_states: list[int] = []
        if journal is None:
            return
        self._file = JournalFile(Path(journal))
        try:
            self._begin(name)
        except BaseException:
            self._file.close()
            raise

    @property
    def journal(self) -> Path | None:
        """The file of the journal."""
        return self._file.path if self._file else None

    @property
    def edits(self) -> tuple[Edit, ...]:
        """The edits that are made, in order, without those that were undone."""
        return tuple(made.edit for made in self.history.done)

    @property
    def accepted(self) -> set[int]:
        """The numbers of the objects that were accepted and did not change since."""
        numbers: set[int] = set()
        for made in self.history.done:
            if made.edit.name == "accept":
                numbers |= set(made.edit.settings["numbers"])
            numbers -= made.changed
        return numbers

    def edit(self, name: str, *, at: Mapping[str, int] | None = None, **settings: object) -> Made:
        """Make an edit.

        Parameters
        ----------
        name : str
            Of the registry edits, such as "merge".
        at : mapping of str to int, optional
            Positions along axes to which it is held, such as ``{"Z": 5}``.
        **settings
            Those of the edit.

        Returns
        -------
        Made
            With what changed.

        Raises
        ------
        InputError, SettingError, UnknownNameError
            If it cannot be made; nothing has changed then.
        """
        return self.make(Edit(name=name, settings=settings, at=dict(at or {})))

    def make(self, edit: Edit) -> Made:
        """Make an edit that is given as one."""
        planned = self.history.plan(edit)
        self.history.check_type(planned.changes)
        self._write(Line("edit", self._text(self._after(planned.changes)), planned))
        return self._count(self.history.commit(planned))

    def adopt(self, edit: Edit, changes: Sequence[Change]) -> Made:
        """Take an edit that is in the labels already, such as a stroke; undo it if that fails."""
        made = Made.of(edit, tuple(changes))
        try:
            self._write(Line("edit", self._text(self._after(made.changes)), made))
        except FormatError:
            for change in reversed(made.changes):
                change.write(self.history.labels, undone=True)
            raise
        return self._count(self.history.adopt(edit, changes))

    def undo(self) -> Made | None:
        """Undo the last edit; None where there is none."""
        if not self.history.done:
            return None
        if self._file:
            self._write(Line("undo", self._text(self._states[-2])))
            self._undone_states.append(self._states.pop())
        return self.history.undo()

    def redo(self) -> Made | None:
        """Make the edit again that was undone last; None where there is none."""
        if not self.history.undone:
            return None
        if self._file:
            self._write(Line("redo", self._text(self._undone_states[-1])))
            self._states.append(self._undone_states.pop())
        return self.history.redo()

    def close(self) -> None:
        """Let others open the journal."""
        if self._file:
            self._file.close()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    # ---- the journal ----

    def _write(self, line: Line) -> None:
        if self._file:
            self._file.append(line.to_plain())

    def _text(self, state: int) -> str:
        return as_text(state, self.history.labels.shape)

    def _after(self, changes: Sequence[Change]) -> int:
        """The checksum that labels have after changes; not needed without a journal."""
        if not self._file:
            return 0
        state, shape = self.history.checksum, tuple(self.history.labels.shape)
        for change in changes:
            state = changed(state, change.positions(shape), *change.values())
        return state

    def _count(self, made: Made) -> Made:
        if self._file:
            self._states.append(self.history.checksum)
            self._undone_states.clear()
        return made

    def _begin(self, name: str) -> None:
        assert self._file
        if not self._file.lines:
            self._file.append(header_of(self.history, name))
            self._states = [self.history.checksum]
            return
        source = str(self._file.path)
        self._check_header(checked_header(self._file.lines, source))
        header, lines = parse(self._file.lines, source, self.history.labels.shape)
        self._take_up([header["checksum"], *(line.checksum for line in lines)], lines)
        self.resumed = len(self.history.done)

    def _check_header(self, header: dict[str, Any]) -> None:
        shape = tuple(header["shape"])
        if shape != tuple(self.history.labels.shape) or header.get("axes") != self.history.axes:
            raise InputError(
                f"The journal is of labels with the axes {header.get('axes')} and the shape "
                f"{shape}; these have {self.history.axes} and {tuple(self.history.labels.shape)}. "
                "Give another journal."
            )

    def _take_up(self, states: list[str], lines: list[Line]) -> None:
        """Bring labels and history to the end of the journal."""
        position = self._position(states, lines)
        self.history.done, self.history.undone = in_effect(lines[:position])
        for line in lines[position:]:
            self._repeat(line)
        numbers = [int(state.partition("-")[0], 16) for state in states]
        self._states, self._undone_states = numbers[:1], []
        for line, state in zip(lines, numbers[1:], strict=True):
            if line.kind == "undo":
                self._undone_states.append(self._states.pop())
                continue
            if line.kind == "edit":
                self._undone_states.clear()
            else:
                self._undone_states.pop()
            self._states.append(state)

    def _position(self, states: list[str], lines: list[Line]) -> int:
        """After how many steps the journal was where the labels are."""
        now = self._text(self.history.checksum)
        if now in states:
            return len(states) - 1 - states[::-1].index(now)
        if lines and self._restored(lines, states[-2]):
            return len(lines) - 1
        raise InputError(
            "The labels are neither those that the journal was begun on nor what any of its edits "
            "left. Take the labels that it belongs to, begin another journal, or make its edits "
            "on these labels as far as they fit: replay_edits, or on the command line "
            "napari-segment edit LABELS --journal FILE -o OUT."
        )

    def _restored(self, lines: list[Line], state: str) -> bool:
        """Undo a last step that was half written to an array on disk when the process ended."""
        in_memory = isinstance(self.history.labels, np.ndarray)
        in_memory &= not isinstance(self.history.labels, np.memmap)
        if in_memory:
            return False
        done, undone = in_effect(lines)
        last, backwards = (undone[-1], True) if lines[-1].kind == "undo" else (done[-1], False)
        shape = tuple(self.history.labels.shape)
        changes = [c.reversed() for c in last.changes[::-1]] if backwards else list(last.changes)
        voxels, before = values_before(changes, shape)
        present = values_now(self.history.labels, changes, voxels)
        if self._text(changed(self.history.checksum, voxels, present, before)) != state:
            return False
        for change in reversed(changes):
            change.write(self.history.labels, undone=True)
        self.history.forget()
        return True

    def _repeat(self, line: Line) -> None:
        if line.kind == "undo":
            self.history.undo()
        elif line.kind == "redo":
            self.history.redo()
        elif line.made is not None:
            self.history.commit(line.made)
