"""What became of each file of a batch."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from napari_segment.api.batch.paths import protect
from napari_segment.blocks.memory import peak_memory, reset_peak_memory
from napari_segment.errors import SettingError, message_of
from napari_segment.step import FileStep, Step

SAVE_EVERY = 5.0  # seconds between two writes of a report or a table, or 20 times what one took
STOPPED = "The run was stopped before this file was done."

Row: TypeAlias = dict[str, Any]
Work: TypeAlias = Callable[[Path, Path], Generator[Step, None, Row]]


@dataclass(frozen=True)
class Task:
    """One file of a batch: its number in the order of the inputs, and from where to where."""

    index: int
    path: Path
    target: Path

    def row(self, status: str, error: str | None = None) -> Row:
        """What a report says of it."""
        values = str(self.path), str(self.target), status, error
        return dict(zip(("input", "output", "status", "error"), values, strict=True))


def attempt(
    task: Task, work: Work, row: Row, *, strict: bool = False
) -> Generator[Step, None, None]:
    """Do the work on one file and fill in its row; what goes wrong does not go further.

    Parameters
    ----------
    task : Task
        The file.
    work : callable
        Takes the paths, yields Steps, returns further columns.
    row : dict
        Is filled in, also where the work is stopped.
    strict : bool
        Whether an error goes further too.
    """
    started = time.perf_counter()
    reset_peak_memory()
    try:
        row |= yield from work(task.path, task.target)
        row |= {"status": "done", "error": None}
    except BrokenPipeError:
        raise
    except Exception as error:  # one bad file does not end the work on the others
        row["error"] = message_of(error)
        if strict:
            raise
    finally:
        row["seconds"] = round(time.perf_counter() - started, 3)
        row["peak_memory"] = peak_memory()


class Report:
    """The rows of a batch; written every few seconds, and when the work ends in any way.

    Parameters
    ----------
    path : Path, optional
        A JSON file.
    total : int
        How many files there are.
    """

    def __init__(self, path: Path | None, total: int) -> None:
        self.path, self.total = path, total
        self._rows: dict[int, Row] = {}
        self._next_save = time.monotonic() + SAVE_EVERY

    @property
    def rows(self) -> list[Row]:
        """In the order of the inputs."""
        return [self._rows[index] for index in sorted(self._rows)]

    @property
    def done(self) -> int:
        """How many files are finished, in whatever way."""
        return len(self._rows)

    def add(self, task: Task, row: Row) -> FileStep:
        """Record a file; the Step that says so."""
        self._rows[task.index] = row
        if time.monotonic() > self._next_save:
            self._save()
        said = f"{row['status']}: {row['error']}" if row["error"] else row["status"]
        return FileStep(self.done, self.total, f"{task.path.name}: {said}", row=row)

    def _save(self) -> None:
        started = time.monotonic()
        if self.path is not None:
            from napari_segment.io.replacing import placing

            with placing(self.path) as unfinished:
                unfinished.write_text(json.dumps(self.rows, indent=2), "utf-8")
        now = time.monotonic()
        self._next_save = now + max(SAVE_EVERY, 20 * (now - started))

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *error: object) -> None:
        self._save()


def report_path(text: str | Path, inputs: Iterable[Path], targets: Iterable[Path]) -> Path | None:
    """Where a report goes: a file that ends with .json, none of those read or written."""
    if not str(text):
        return None
    path = Path(text)
    if path.suffix.lower() != ".json":
        raise SettingError(f"Cannot write a report to {str(text)!r}: end it with .json.")
    protect(inputs, [path])
    protect(targets, [path], "output")
    return path
