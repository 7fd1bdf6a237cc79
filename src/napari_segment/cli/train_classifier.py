"""``train-classifier``: images and sparse labels in, the folder of a pixel classifier out."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_segment.cli.classifier_report import report_classifier
from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen


def train_classifier(options: argparse.Namespace) -> int:
    """Train a pixel classifier and say where it is and what it looks at."""
    from napari_segment import api
    from napari_segment.classical.classifier.training import ENTRY

    settings = {**chosen(options, ENTRY), "out": Path(options.output)}
    pairs = (Path(options.images), Path(options.labels))
    model = show(api.train_classifier(pairs, axes=options.axes, **settings), "train-classifier")
    use = f"napari-segment segment classifier --checkpoint {model.folder} INPUT -o OUT"
    report_classifier(model, "labelled voxels", use, as_json=options.json)
    return 0
