"""``track``, ``consensus`` and ``rank``: what comes after a segmentation."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.api.batch.paths import protect, targets_of
from napari_segment.cli.messages import counted
from napari_segment.cli.settings import chosen

if TYPE_CHECKING:
    from napari_segment.api.types import LabelsLike
    from napari_segment.image import Image, Labels


def track(options: argparse.Namespace) -> int:
    """Number the objects of a file through time."""
    from napari_segment import api

    target = _target([options.labels], options)
    labels = api.as_labels(options.labels, options.axes.upper())
    return _written(_called(options, labels), target)


def consensus(options: argparse.Namespace) -> int:
    """Join several files of objects into one."""
    from napari_segment import api

    target = _target(options.labels, options)
    axes = options.axes.upper()
    labels = [api.as_labels(file, axes) for file in options.labels]
    return _written(_called(options, labels), target)


def rank(options: argparse.Namespace) -> int:
    """Print the planes that a network is most unsure of, one a line."""
    from napari_segment import api

    planes = _called(options, api.as_image(options.map, options.axes.upper()))
    print(json.dumps(planes) if options.json else "\n".join(map(str, planes)))
    return 0


def _called(options: argparse.Namespace, data: LabelsLike | Sequence[LabelsLike] | Image) -> Any:
    from napari_segment.api.entries import verb

    entry = verb(options.command)
    return entry(data, **chosen(options, entry))


def _target(files: Sequence[str], options: argparse.Namespace) -> Path:
    """Where the one result goes: OUT, or into the folder OUT under the name of the first file."""
    targets = targets_of({Path(files[0]): Path()}, options.output)
    protect(files, targets)
    return targets[0]


def _written(labels: Labels, target: Path) -> int:
    from napari_segment import api

    path = api.write(labels, target)
    print(f"{counted(int(labels.data.max()), 'object')} → {path}")
    return 0
