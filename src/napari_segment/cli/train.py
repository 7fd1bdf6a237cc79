"""``train``: pairs in, a run folder with a checkpoint out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen, training
from napari_segment.errors import SettingError


def train(options: argparse.Namespace) -> int:
    """Train a network and say where it is and how good."""
    from napari_segment import api
    from napari_segment.io.pairs import Pairs

    pairs = Pairs.of(_source(options))
    for note in pairs.notes:
        print(note, file=sys.stderr)
    settings = training().validate({**chosen(options, training()), "out": Path(options.output)})
    if options.cross_validate:
        settings.pop("fold")
        checkpoints = show(api.cross_validate(pairs, **settings), "train")
    else:
        checkpoints = [show(api.train(pairs, **settings), "train")]
    if options.json:
        reports = [_report(checkpoint) for checkpoint in checkpoints]
        print(json.dumps(reports if options.cross_validate else reports[0], indent=2))
        return 0
    for checkpoint in checkpoints:
        print(f"Checkpoint: {checkpoint.folder}")
        for name, value in checkpoint.scores.items():
            print(f"  {name}: {value:.4f}")
    folder = checkpoints[0].folder
    print(f"Use it: napari-segment segment network --checkpoint {folder} INPUT -o OUT")
    return 0


def _report(checkpoint: Any) -> dict[str, Any]:
    scores = {name: float(value) for name, value in checkpoint.scores.items()}
    return {"checkpoint": str(checkpoint.folder), "scores": scores}


def _source(options: argparse.Namespace) -> Any:
    if options.dataset:
        if not options.layout:
            return Path(options.dataset)
        from napari_segment.registry import layouts

        return layouts[options.layout](Path(options.dataset))
    if options.images and options.labels:
        return Path(options.images), Path(options.labels)
    raise SettingError(
        "Training needs pairs: give --images DIR and --labels DIR, or --dataset DIR."
    )
