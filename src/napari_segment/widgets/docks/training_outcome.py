"""What came of a training, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

NAMES = {  # of the score that decides, the first that there is
    "ap": "an average precision of objects of",
    "dice": "a Dice score of",
    "iou": "an IoU of",
    "accuracy": "an accuracy of",
}
NOTHING = 0.05  # scores below are what an untrained network reaches


def training_outcome(
    folders: Sequence[Path],
    scores: Sequence[Mapping[str, float]],
    tests: Sequence[Mapping[str, float]] = (),
) -> str:
    """Say how good the networks of a training are, where they are, and what comes next.

    Parameters
    ----------
    folders : sequence of Path
        Of the networks: one, or one for each fold.
    scores : sequence of mapping
        Of each network on its validation cases, from 0 to 1, by name.
    tests : sequence of mapping
        Of each on cases that chose nothing; empty where there were none.
    """
    several = len(folders) > 1
    name = next((n for n in NAMES if all(n in values for values in scores)), "")
    parent = folders[0].parent if several else folders[0]
    where = f"The networks are in {parent}." if several else f"The network is in {parent}."
    if not name or not scores:
        return f"{where} There is no validation score. Open Predict to use it."
    score = fmean(values[name] for values in scores)
    whose, which = ("their", "them") if several else ("the", "it")
    reached = f"{NAMES[name]} {score:.2f} on {whose} validation cases, which also chose {which}"
    tested = [values[name] for values in tests if name in values]
    if tested and len(tested) == len(scores):
        reached += f", and {fmean(tested):.2f} on cases that chose nothing"
    if score < NOTHING:
        return (
            f"Nothing was learnt: {reached}. Check what each label number is and whether images "
            f"and labels fit, or train longer. {where}"
        )
    subject = f"The {len(folders)} networks reach on average" if several else "The network reaches"
    return f"{subject} {reached}. {where} Open Predict to use {which}."
