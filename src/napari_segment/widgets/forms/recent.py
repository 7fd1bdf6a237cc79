"""The networks that this session has trained or used, newest first."""

from __future__ import annotations

from pathlib import Path

from psygnal import Signal


class Networks:
    """Folders of checkpoints."""

    changed = Signal()

    def __init__(self) -> None:
        self.folders: list[Path] = []

    def add(self, folder: Path) -> None:
        """Put a folder first."""
        self.folders = [folder, *(f for f in self.folders if f != folder)]
        self.changed.emit()


networks = Networks()
