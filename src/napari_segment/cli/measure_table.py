"""The one table of the measurements of several files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.cli.batch import SAVE_EVERY, Row
from napari_segment.cli.messages import counted
from napari_segment.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


class MeasureTable:
    """Rows of several files; written every few seconds, so that a run that was killed goes on.

    Parameters
    ----------
    path : Path
        The CSV file.
    alone : bool
        Whether there is one file, which needs no column "file".
    go_on : bool
        Whether the rows of an existing table stay.
    """

    def __init__(self, path: Path, *, alone: bool, go_on: bool) -> None:
        self.path, self.alone = path, alone
        self._frames = [_read(path)] if go_on and path.exists() and not alone else []
        self._columns = set(self._frames[0].columns) if self._frames else set()
        self.files: set[str] = {str(f) for frame in self._frames for f in frame["file"]}
        self._saved = time.monotonic()

    def add(self, path: Path, frame: pd.DataFrame) -> Row:
        """Add the rows of one file; what a report says of them."""
        if not self.alone:
            frame.insert(0, "file", str(path))
        self._check(frame)
        self._frames.append(frame)
        self.files.add(str(path))
        if time.monotonic() - self._saved > SAVE_EVERY:
            self.save()
        return {"rows": len(frame)}

    def save(self) -> None:
        """Write the table, if there is anything to write."""
        import pandas as pd

        from napari_segment import api

        self._saved = time.monotonic()
        if self._frames:
            self._frames = [pd.concat(self._frames, ignore_index=True)]
            api.write(self._frames[0], self.path)

    def summary(self) -> str:
        """How many rows of how many files there are."""
        rows = counted(sum(map(len, self._frames)), "row")
        files = "" if self.alone else f" of {counted(len(self.files), 'file')}"
        return f"{rows}{files} → {self.path}"

    def _check(self, frame: pd.DataFrame) -> None:
        more = [name for name in frame.columns if name not in self._columns]
        if self._columns and more:
            raise InputError(
                f"The table {self.path}, which --skip-existing continues, has no column "
                f"{more[0]!r}. Leave out --skip-existing, or write to another file."
            )


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    table = pd.read_csv(path, dtype=str, keep_default_na=False)  # written again as it is
    if "file" not in table:
        raise InputError(
            f"--skip-existing cannot continue {path}: it has no column 'file'. Leave it out, or "
            "write to another file."
        )
    return table
