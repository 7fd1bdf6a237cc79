"""The one table of the measurements of several files."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.api.batch.report import SAVE_EVERY
from napari_segment.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


class MeasureTable:
    """Rows of several files; written every few seconds, so that a run that was killed goes on.

    Parameters
    ----------
    path : Path
        The CSV file.
    files : sequence of Path
        The inputs, in the order of their rows.
    alone : bool
        Whether there is one file, which needs no column "file".
    go_on : bool
        Whether the rows of an existing table stay.
    """

    def __init__(self, path: Path, files: Sequence[Path], *, alone: bool, go_on: bool) -> None:
        self.path, self.alone = path, alone
        self._order = {str(file): number for number, file in enumerate(files)}
        existing = _read(path) if go_on and path.exists() and not alone else None
        self._frames: dict[str, pd.DataFrame] = {}
        self._columns: set[str] = set()
        if existing is not None:
            self._columns = set(existing.columns)
            self._frames = {str(f): rows for f, rows in existing.groupby("file", sort=False)}
        self._next_save = time.monotonic() + SAVE_EVERY

    @property
    def files(self) -> set[str]:
        """The files that have rows."""
        return set(self._frames)

    def add(self, path: Path, frame: pd.DataFrame) -> None:
        """Add the rows of one file."""
        if not self.alone:
            frame.insert(0, "file", str(path))
        self._check(frame)
        self._frames[str(path)] = frame
        if time.monotonic() > self._next_save:
            self.save()

    def save(self) -> None:
        """Write the table, if there is anything to write."""
        import pandas as pd

        from napari_segment.api.files import write

        started = time.monotonic()
        if self._frames:
            names = sorted(self._frames, key=lambda name: self._order.get(name, -1))
            whole = pd.concat([self._frames[name] for name in names], ignore_index=True)
            write(whole, self.path)
        now = time.monotonic()
        self._next_save = now + max(SAVE_EVERY, 20 * (now - started))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return sum(map(len, self._frames.values()))

    def _check(self, frame: pd.DataFrame) -> None:
        more = [name for name in frame.columns if name not in self._columns]
        if self._columns and more:
            raise InputError(
                f"The table {self.path}, which skip_existing=True continues, has no column "
                f"{more[0]!r}. Leave out skip_existing=True, or write to another file."
            )


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False)  # written again as it is
    if "file" not in table:
        raise InputError(
            f"skip_existing=True cannot continue {path}: it has no column 'file'. Leave it out, or "
            "write to another file."
        )
    return table
