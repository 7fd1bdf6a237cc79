"""``runs``: trainings side by side."""

from __future__ import annotations

import argparse
import json
import sys

from napari_segment.cli.messages import in_columns


def runs(options: argparse.Namespace) -> int:
    """List run folders, best first, with the settings in which they differ."""
    from napari_segment.api import find_runs
    from napari_segment.deep.training.record.runs import differences

    trainings = find_runs(options.folders or ["."])
    if options.json:
        print(json.dumps([run.to_dict() for run in trainings], indent=2))
        return 0
    own = ("model", "loss", "epochs", "minutes")  # as they were, whatever was asked
    varied = [name for name in differences(trainings) if name not in own]
    scores = list(dict.fromkeys(name for run in trainings for name in run.scores))
    tests = list(dict.fromkeys(name for run in trainings for name in run.test_scores))
    head = ["run", *(f"test {name}" for name in tests), *scores, *own, *varied]
    rows = [
        [str(run.folder), *(_number(run.test_scores.get(name)) for name in tests),
         *(_number(run.scores.get(name)) for name in scores), run.model, run.loss,
         str(run.epochs), f"{run.minutes:.1f}", *(_plain(run.settings.get(n)) for n in varied)]
        for run in trainings
    ]  # fmt: skip
    print(in_columns([head, *rows]))
    if scores:
        print(
            "Scores without 'test' are of the validation cases, which also chose the epoch and the "
            "decoding.",
            file=sys.stderr,
        )
    return 0


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ",".join(map(str, value)) or "-"
    return str(value)
