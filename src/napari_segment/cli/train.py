"""``train``: pairs in, a run folder with a checkpoint out."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.cli.datasets import pairs_of
from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen, training
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.deep.checkpoint import Checkpoint


def train(options: argparse.Namespace) -> int:
    """Train a network and say where it is and how good."""
    from napari_segment import api
    from napari_segment.io.datasets.pairs import Pairs

    pairs = Pairs.of(pairs_of(options), axes=options.axes.upper())
    settings = training().validate({**chosen(options, training()), "out": Path(options.output)})
    if options.cross_validate:
        settings.pop("fold")
        checkpoints = show(api.cross_validate(pairs, **settings), "train", _stays)
    else:
        checkpoints = [show(api.train(pairs, **settings), "train", _stays)]
    if options.json:
        reports = [_report(checkpoint) for checkpoint in checkpoints]
        print(json.dumps(reports if options.cross_validate else reports[0], indent=2))
        return 0
    for checkpoint in checkpoints:
        print(f"Checkpoint: {checkpoint.folder}")
        for measured in api.model_card(checkpoint.folder).scores:
            print(f"  on {measured.on}, {measured.caution}:")
            for name, value in measured.values.items():
                print(f"    {name}: {value:.4f}")
    _say_how_to_use([c for c in checkpoints if c.scores])
    return 0


def _say_how_to_use(trained: Sequence[Checkpoint]) -> None:
    """Show the command for the network that scored best, and the one for all together."""
    if not trained:
        return
    ranked = sorted(trained, key=_score, reverse=True)
    best, *others = [str(checkpoint.folder) for checkpoint in ranked]
    which = "the best" if others else "it"
    print(f"Use {which}: napari-segment segment network --checkpoint {best} INPUT -o OUT")
    if others:
        print(f"Use all: the same with --ensemble {','.join(others)}")


def _score(checkpoint: Checkpoint) -> float:
    """What a training makes large."""
    return float(checkpoint.scores.get("ap", checkpoint.scores.get("dice", 0.0)))


def _stays(step: Step) -> bool:
    """Whether a Step tells what was found or decided, or is the end of an epoch."""
    return step.done == 0 or "epoch" in step.numbers


def _report(checkpoint: Checkpoint) -> dict[str, Any]:
    from napari_segment import api

    scores = {name: float(value) for name, value in checkpoint.scores.items()}
    measured = [m.model_dump() for m in api.model_card(checkpoint.folder).scores]
    return {"checkpoint": str(checkpoint.folder), "scores": scores, "measured": measured}
