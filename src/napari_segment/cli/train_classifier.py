"""``train-classifier``: images and sparse labels in, the folder of a pixel classifier out."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen


def train_classifier(options: argparse.Namespace) -> int:
    """Train a pixel classifier and say where it is and what it looks at."""
    from napari_segment import api
    from napari_segment.classical.classifier.training import ENTRY

    settings = {**chosen(options, ENTRY), "out": Path(options.output)}
    pairs = (Path(options.images), Path(options.labels))
    model = show(api.train_classifier(pairs, axes=options.axes, **settings), "train-classifier")
    if options.json:
        report = {
            "checkpoint": str(model.folder), "classes": model.classes, "samples": model.samples,
            "out_of_bag": model.out_of_bag, "importances": model.importances,
        }  # fmt: skip
        print(json.dumps(report, indent=2))
        return 0
    print(f"Classifier: {model.folder}")
    for number, count in model.samples.items():
        print(f"  {model.names.get(number, f'class {number}')}: {count:,} labelled voxels")
    if model.out_of_bag is not None:
        print(f"  right on labelled voxels that a tree did not see: {model.out_of_bag:.1%}")
    best = sorted(model.importances.items(), key=lambda item: -item[1])[:5]
    print("  looks most at: " + ", ".join(f"{name} ({share:.0%})" for name, share in best))
    print(f"Use it: napari-segment segment classifier --checkpoint {model.folder} INPUT -o OUT")
    return 0
