"""Where a training goes: a new dated folder, unless one is chosen."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from qtpy.QtCore import QStandardPaths

from napari_segment.widgets.forms.fields import PathField


class RunFolder(PathField):
    """A run folder; empty for a new one below the person's documents."""

    def __init__(self) -> None:
        super().__init__(folder=True)
        self.line.setPlaceholderText("a new dated folder")

    def to_use(self, model: str) -> Path:
        """Return the folder to write to: the one that was typed, or a new one.

        Parameters
        ----------
        model : str
            Part of a new folder's name.
        """
        if self.value != Path():
            return self.value.expanduser().absolute()
        return new_folder(runs_folder(), f"{datetime.now():%Y-%m-%d %H.%M.%S} {model}")


def runs_folder() -> Path:
    """Return the folder of all trainings that were given none."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return Path(documents or Path.home()) / "napari-segment" / "trainings"


def new_folder(parent: Path, name: str) -> Path:
    """Return the path of a folder that does not exist yet; a number tells equal names apart."""
    candidate, number = parent / name, 1
    while candidate.exists():
        number += 1
        candidate = parent / f"{name} {number}"
    return candidate
