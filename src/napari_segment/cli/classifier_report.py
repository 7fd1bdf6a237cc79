"""What the commands that train a classifier say of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_segment.classical.classifier.card import ForestCard


def report_classifier(model: ForestCard, examples: str, use: str, *, as_json: bool) -> None:
    """Print where a classifier is, what it learnt from and what it looks at.

    Parameters
    ----------
    model : ForestCard
        As it stands in its folder.
    examples : str
        What an example is, plural.
    use : str
        How it is used.
    as_json : bool
        Whether to print JSON.
    """
    if as_json:
        report = {
            "checkpoint": str(model.folder), "classes": model.classes, "names": model.names,
            "samples": model.samples, "out_of_bag": model.out_of_bag,
            "importances": model.importances,
        }  # fmt: skip
        print(json.dumps(report, indent=2))
        return
    print(f"Classifier: {model.folder}")
    for number, count in model.samples.items():
        print(f"  {model.name_of(number)}: {count:,} {examples}")
    if model.out_of_bag is not None:
        print(f"  right on {examples} that a tree did not see: {model.out_of_bag:.1%}")
    best = sorted(model.importances.items(), key=lambda item: -item[1])[:5]
    print("  looks most at: " + ", ".join(f"{name} ({share:.0%})" for name, share in best))
    print(f"Use it: {use}")
