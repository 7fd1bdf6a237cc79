"""Read and write the run folder: settings, plan, curves, pictures and versions of one training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.checkpoint import versions
from napari_segment.deep.nn.summary import Summary
from napari_segment.deep.training.record.card import CardWriter
from napari_segment.io.replacing import placing, write_atomically
from napari_segment.results.picture import coloured, grey, overlay

SETTINGS = "settings.json"
PLAN = "plan.json"
CURVES = "curves.csv"
LAST = "last.pt"  # in the folder STATE: what resuming needs
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
    card : CardWriter, optional
        Writes the model card of each network that is kept.
    """

    folder: Path
    rows: list[dict[str, float]] = field(default_factory=list)
    card: CardWriter | None = None
    _drawn: float = -1e9
    _summary: Summary | None = None

    def begin(self, settings: Mapping[str, Any], plan: str, checks: Sequence[str]) -> None:
        """Write what is known before the first step."""
        (self.folder / EVENTS).unlink(missing_ok=True)
        write_atomically(self.folder / SETTINGS, _json(settings))
        self.decided(plan)
        write_atomically(self.folder / "versions.json", _json(versions()))
        write_atomically(self.folder / "data.txt", ("\n".join(checks) + "\n").encode())

    def network(self, summary: Summary) -> None:
        """Write the table of the network's layers; the graph comes with the first curves."""
        write_atomically(self.folder / "network.md", summary.to_markdown().encode())
        self._summary = summary

    def decided(self, plan: str) -> None:
        """Write the plan."""
        write_atomically(self.folder / PLAN, plan.encode())

    def rates(self, rates: Sequence[float], losses: Sequence[float], chosen: float) -> None:
        """Write the range test of the learning rate as a table and a drawing."""
        rows = [{"lr": r, "loss": v} for r, v in zip(rates, losses, strict=True)]
        write_atomically(self.folder / "learning_rate.csv", _csv(rows).encode())
        figure = _figure(4, 3.5)
        axes = figure.subplots()
        axes.semilogx(rates, losses)
        axes.axvline(chosen or 1, color="0.6", label=f"taken: {chosen:.3g}")
        axes.set(xlabel="learning rate", ylabel="loss")
        axes.legend(fontsize="small")
        _write_figure(figure, self.folder / "learning_rate.png")

    def epoch(self, row: Mapping[str, float], *, write: bool = True) -> None:
        """Add the numbers of an epoch to ``curves.csv``; ``curves.png`` follows now and then."""
        self.rows.append(dict(row))
        if not write:
            return
        write_atomically(self.folder / CURVES, _csv(self.rows).encode())
        if monotonic() - self._drawn > _DRAW_EVERY:
            self.draw()
            self._drawn = monotonic()

    def draw(self) -> None:
        """Draw losses and scores over the epochs, and the network once."""
        if self._summary is not None:
            with placing(self.folder / "network.svg") as unfinished:
                self._summary.draw(unfinished)
            self._summary = None
        if not self.rows:
            return
        panels = _panels(self.rows)
        figure = _figure(4 * len(panels), 3.5)
        for axes, names in zip(figure.subplots(1, len(panels)), panels, strict=True):
            for name in names:
                known = [(r["epoch"], r[name]) for r in self.rows if name in r]
                axes.plot(*zip(*known, strict=True), label=name)
            axes.set_xlabel("epoch")
            if names:
                axes.legend(fontsize="small")
        _write_figure(figure, self.folder / "curves.png")

    def picture(self, epoch: int, preview: Mapping[str, NDArray[Any]]) -> None:
        """Write ``previews/epoch_0003.png``: image, reference, prediction and it over the image."""
        from imagecodecs import png_encode

        image = grey(preview["image"])
        labels = [preview[name] for name in ("reference", "prediction")]
        panels = [image, *map(coloured, labels), overlay(image, labels[1])]
        strip = np.concatenate(panels, axis=1)
        path = self.folder / "previews" / f"epoch_{epoch:04d}.png"
        write_atomically(path, bytes(png_encode(np.ascontiguousarray(strip))))


def _figure(width: float, height: float) -> Any:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _write_figure(figure: Any, path: Path) -> None:
    buffer = BytesIO()
    figure.savefig(buffer, dpi=100, format="png")
    write_atomically(path, buffer.getvalue())


def _panels(rows: Sequence[Mapping[str, float]]) -> list[list[str]]:
    """Which numbers are drawn together: losses, scores from 0 to 1, distances."""
    names = list(dict.fromkeys(k for r in rows for k in r))
    losses = [n for n in names if "loss" in n]
    scores = [n for n in names if n.startswith(("dice", "ap", "iou", "accuracy"))]
    distances = [n for n in names if n.startswith("hd95")]
    return [losses, scores, distances] if distances else [losses, scores]


def _csv(rows: Sequence[Mapping[str, float]]) -> str:
    names = list(dict.fromkeys(k for r in rows for k in r))
    lines = [",".join(repr(r[n]) if n in r else "" for n in names) for r in rows]
    return "\n".join([",".join(names), *lines]) + "\n"


def _json(what: Mapping[str, Any]) -> bytes:
    return (json.dumps(what, indent=2, default=str) + "\n").encode()
