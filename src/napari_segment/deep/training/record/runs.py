"""Run folders side by side: what was trained, with which settings, and how good it became."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from napari_segment.aliases import current_settings
from napari_segment.deep.card import ModelCard
from napari_segment.deep.training import ENTRY
from napari_segment.errors import FormatError

_FOLDER_SETTINGS = frozenset({"out", "resume", "overwrite"})


@dataclass(frozen=True)
class Run:
    """One training, as its folder tells.

    Parameters
    ----------
    folder : Path
        The run folder.
    model, loss : str
        Names of the entries.
    epochs : int
        Epochs that were finished.
    minutes : float
        Time until the last of them.
    scores : dict of str to float
        Of the network that was saved, on the validation cases, which also chose it.
    test_scores : dict of str to float
        On cases that chose nothing, where there were any.
    settings : dict
        As they were given, in plain values.
    """

    folder: Path
    model: str
    loss: str
    epochs: int
    minutes: float
    scores: Mapping[str, float] = field(default_factory=dict)
    test_scores: Mapping[str, float] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "folder": str(self.folder)}


def find_runs(folders: Iterable[str | Path]) -> list[Run]:
    """Read the run folders at or below some folders.

    Parameters
    ----------
    folders : iterable of str or Path
        Run folders, or folders of them, to any depth.

    Returns
    -------
    list of Run
        Best first by their first score; those without a score last.

    Raises
    ------
    FormatError
        If a folder is missing or holds no run.
    """
    runs = []
    for folder in map(Path, folders):
        files = sorted(folder.rglob("settings.json"))
        here = [_run(path.parent) for path in files if (path.parent / "plan.json").is_file()]
        if not here:
            raise FormatError(f"{folder} holds no run: give a folder that `train` wrote, or above.")
        runs += here
    return sorted(runs, key=lambda run: -next(iter(run.scores.values()), -1.0))


def differences(runs: Iterable[Run]) -> list[str]:
    """Return the settings in which runs differ.

    Parameters
    ----------
    runs : iterable of Run
        At least two of them, or nothing differs.

    Returns
    -------
    list of str
        Names of settings, but for those that only say where the run is.
    """
    runs = list(runs)
    names = dict.fromkeys(name for run in runs for name in run.settings)
    return [
        name
        for name in names
        if name not in _FOLDER_SETTINGS
        and len({json.dumps(run.settings.get(name), sort_keys=True) for run in runs}) > 1
    ]


def _run(folder: Path) -> Run:
    known = frozenset(ENTRY.settings.model_fields)
    settings = current_settings("trainings", "train", _json(folder / "settings.json"), known)
    rows = _rows(folder / "curves.csv")
    return Run(
        folder=folder,
        model=_name(settings.get("model")),
        loss=_name(settings.get("loss")),
        epochs=len(rows),
        minutes=round(float(rows[-1].get("elapsed") or 0) / 60, 2) if rows else 0.0,
        scores=_json(folder / "model.json").get("scores", {}),
        test_scores=_test_scores(folder),
        settings=settings,
    )


def _test_scores(folder: Path) -> Mapping[str, float]:
    best = ModelCard.load(folder).best
    return best.values if best is not None and not best.chose else {}


def _name(spec: object) -> str:
    return str(spec["name"]) if isinstance(spec, Mapping) else str(spec or "")


def _json(path: Path) -> dict[str, Any]:
    """Return the file's content; nothing where a run was stopped before it was written."""
    try:
        return dict(json.loads(path.read_text("utf-8")))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise FormatError(f"{path} is broken: {error}") from None


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
