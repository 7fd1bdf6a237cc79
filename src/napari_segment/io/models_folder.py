"""The models of this machine: the folder of those that were added, those bundled, those trained."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from napari_segment.bounded import read_json
from napari_segment.errors import SegmentError
from napari_segment.io.replacing import write_atomically

VARIABLE = "NAPARI_SEGMENT_MODELS"
ADDED = "added.json"  # in the folder of a model that was added: what it is and came from
BUNDLED = Path(__file__).parents[1] / "bundled"
_TRAINED, _USED = ".trained", ".used"
_MOST = 200  # notes of trainings that are read


def models_folder() -> Path:
    """Return the folder of added models: ``NAPARI_SEGMENT_MODELS``, else that of the platform.

    That is ``~/.local/share/napari-segment/models`` (or below ``XDG_DATA_HOME``) on Linux,
    ``~/Library/Application Support/napari-segment/models`` on macOS, and below ``LOCALAPPDATA`` on
    Windows. It need not exist.
    """
    given = os.environ.get(VARIABLE, "")
    if given:
        return Path(given).expanduser()
    home = Path.home()
    if sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    elif os.name == "nt":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "napari-segment" / "models"


def located(path: Path) -> Path:
    """Return the path of a model that is given by path, or by its name on this machine.

    Parameters
    ----------
    path : Path
        A path, which comes first where it exists; or a name without folders.

    Returns
    -------
    Path
        What a method takes; the same path where there is no model of this name.
    """
    if not path.name or len(path.parts) != 1 or path.exists():
        return path
    added = added_path(models_folder() / path.name)
    if added is not None:
        return added
    if (BUNDLED / path.name).is_dir():
        return BUNDLED / path.name
    return next((run for run in trained_folders() if run.name == path.name), path)


def added_path(folder: Path) -> Path | None:
    """Return what a method takes of a model that was added; None where the folder is no such."""
    with suppress(SegmentError, OSError):
        entry = str(read_note(folder).get("entry", ""))
        path = (folder / entry).resolve()
        if path.is_relative_to(folder.resolve()):
            return folder / entry if entry else folder
    return None


def read_note(folder: Path) -> dict[str, Any]:
    """Return what was noted of a model when it was added.

    Raises
    ------
    OSError
        If nothing was.
    """
    note = read_json(folder / ADDED)
    return dict(note) if isinstance(note, dict) else {}


# ---- notes ----


def note_training(folder: Path) -> None:
    """Note where a network was trained, so that the models of this machine list it."""
    path = str(folder.absolute())
    _write(_note_of(_TRAINED, path), {"folder": path})


def trained_folders() -> list[Path]:
    """Return the folders of the trainings on this machine that are still there, newest first."""
    files = sorted(_files(_TRAINED), key=_time, reverse=True)[:_MOST]
    folders = [Path(str(_read(file).get("folder", ""))) for file in files]
    return [folder for folder in folders if (folder / "model.json").is_file()]


def forget_training(folder: Path) -> None:
    """Remove the note of a training; its folder stays."""
    _note_of(_TRAINED, str(folder.absolute())).unlink(missing_ok=True)


def note_use(model: Path, image: str, date: str, most: int = 20) -> None:
    """Note that a model segmented an image; the last uses are read by `uses_of`."""
    file = _note_of(_USED, str(model.absolute()))
    known = [use for use in _read(file).get("uses", []) if use != [image, date]]
    _write(file, {"model": str(model.absolute()), "uses": [[image, date], *known][:most]})


def uses_of(model: Path) -> list[tuple[str, str]]:
    """Return the images that a model segmented, with the date; newest first."""
    uses = _read(_note_of(_USED, str(model.absolute()))).get("uses", [])
    return [(str(image), str(date)) for image, date in uses]


def _note_of(group: str, path: str) -> Path:
    return models_folder() / group / f"{hashlib.sha256(path.encode()).hexdigest()[:24]}.json"


def _files(group: str) -> list[Path]:
    with suppress(OSError):
        return list((models_folder() / group).glob("*.json"))
    return []


def _time(file: Path) -> float:
    with suppress(OSError):
        return file.stat().st_mtime
    return 0.0


def _read(file: Path) -> dict[str, Any]:
    with suppress(SegmentError, OSError, TypeError, ValueError):
        return dict(read_json(file))
    return {}


def _write(file: Path, content: dict[str, Any]) -> None:
    """Write a note; where the folder cannot be written to, there is none."""
    with suppress(SegmentError, OSError):
        write_atomically(file, (json.dumps(content) + "\n").encode())
