"""The run folder: settings, plan, curves, pictures and versions of one training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import versions, write_atomically
from napari_segment.deep.summary import Summary
from napari_segment.deep.train.events import append

SETTINGS = "settings.json"
PLAN = "plan.json"
CURVES = "curves.csv"
EVENTS = "events.out.tfevents.0.run"
_DRAW_EVERY = 60.0  # seconds between drawings of the curves


@dataclass(eq=False)
class Record:
    """Writes what a training tells, one row an epoch.

    Parameters
    ----------
    folder : Path
        The run folder.
    rows : list of dict
        Numbers of the epochs so far.
    """

    folder: Path
    rows: list[dict[str, float]] = field(default_factory=list)
    _drawn: float = -1e9
    _summary: Summary | None = None

    def begin(self, settings: Mapping[str, Any], plan: str, checks: Sequence[str]) -> None:
        """Write what is known before the first step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / EVENTS).unlink(missing_ok=True)
        write_atomically(self.folder / SETTINGS, _json(settings))
        write_atomically(self.folder / PLAN, plan.encode())
        write_atomically(self.folder / "versions.json", _json(versions()))
        write_atomically(self.folder / "data.txt", ("\n".join(checks) + "\n").encode())

    def network(self, summary: Summary) -> None:
        """Write the table of the network's layers; the graph comes with the first curves."""
        write_atomically(self.folder / "network.md", summary.to_markdown().encode())
        self._summary = summary

    def epoch(self, row: Mapping[str, float], *, write: bool = True) -> None:
        """Add the numbers of an epoch to ``curves.csv``; ``curves.png`` follows now and then."""
        self.rows.append(dict(row))
        if not write:
            return
        write_atomically(self.folder / CURVES, _csv(self.rows).encode())
        append(self.folder / EVENTS, int(row["epoch"]), row)
        if monotonic() - self._drawn > _DRAW_EVERY:
            self.draw()
            self._drawn = monotonic()

    def draw(self) -> None:
        """Draw losses and scores over the epochs, and the network once."""
        if self._summary is not None:
            self._summary.draw(self.folder / "network.svg")
            self._summary = None
        if not self.rows:
            return
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure((8, 3.5), layout="constrained")
        FigureCanvasAgg(figure)
        for axes, names in zip(figure.subplots(1, 2), _panels(self.rows), strict=True):
            for name in names:
                known = [(r["epoch"], r[name]) for r in self.rows if name in r]
                axes.plot(*zip(*known, strict=True), label=name)
            axes.set_xlabel("epoch")
            if names:
                axes.legend(fontsize="small")
        figure.savefig(self.folder / "curves.png", dpi=100)

    def picture(self, epoch: int, preview: Mapping[str, NDArray[Any]]) -> None:
        """Write ``previews/epoch_0003.png``: image, reference, prediction and it over the image."""
        from imagecodecs import png_encode

        image = _grey(preview["image"])
        reference, prediction = (_coloured(preview[k]) for k in ("reference", "prediction"))
        over = np.where(prediction.any(-1, keepdims=True), image // 2 + prediction // 2, image)
        strip = np.concatenate([image, reference, prediction, over], axis=1)
        path = self.folder / "previews" / f"epoch_{epoch:04d}.png"
        write_atomically(path, bytes(png_encode(np.ascontiguousarray(strip))))


def _panels(rows: Sequence[Mapping[str, float]]) -> tuple[list[str], list[str]]:
    names = list(dict.fromkeys(k for r in rows for k in r))
    losses = [n for n in names if "loss" in n]
    return losses, [n for n in names if n.startswith(("dice", "ap", "iou", "accuracy"))]


def _csv(rows: Sequence[Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(k for r in rows for k in r))
    lines = [",".join(repr(r[n]) if n in r else "" for n in names) for r in rows]
    return "\n".join([",".join(names), *lines]) + "\n"


def _json(what: Mapping[str, Any]) -> bytes:
    return (json.dumps(what, indent=2, default=str) + "\n").encode()


def _grey(plane: NDArray[Any]) -> NDArray[np.uint8]:
    low, high = np.percentile(plane, (1, 99))
    scaled = np.clip((plane - low) / max(high - low, 1e-6), 0, 1) * 255
    return np.repeat(scaled.astype(np.uint8)[..., None], 3, axis=-1)


def _coloured(labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Label numbers as colours that differ between neighbours; 0 and unlabelled are black."""
    number = np.maximum(labels, 0).astype(np.int64)
    hue = (number * 0.61803398875) % 1.0
    phase = (hue[..., None] + np.array([0.0, 1 / 3, 2 / 3])) * 2 * np.pi
    colour = (127 + 120 * np.cos(phase)).astype(np.uint8)
    return np.where(number[..., None] > 0, colour, np.uint8(0))
