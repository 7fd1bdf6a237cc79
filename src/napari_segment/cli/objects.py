"""``track``, ``consensus`` and ``rank``: what comes after a segmentation."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_segment.api.batch.object_verbs import consensus_files_steps, track_files_steps
from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.settings import chosen


def track(options: argparse.Namespace) -> int:
    """Number the objects of files through time."""
    return each_of(
        track_files_steps(options.labels, options.output, **_how(options)), options, _line
    )


def consensus(options: argparse.Namespace) -> int:
    """Join files of objects into one, or those of equal names of several folders."""
    steps = consensus_files_steps(options.labels, options.output, **_how(options))
    return each_of(steps, options, _line)


def _how(options: argparse.Namespace) -> dict[str, Any]:
    settings = chosen(options, _verb(options))
    return {"settings": settings, "reading": reading_of(options), "batch": batch_of(options)}


def _line(row: Row) -> str:
    return f"{row['summary']} → {row['output']}"


def _verb(options: argparse.Namespace) -> Any:
    from napari_segment.api.entries import verb

    return verb(options.command)


def rank(options: argparse.Namespace) -> int:
    """Print the planes that a network is most unsure of, one a line."""
    from napari_segment import api

    entry = _verb(options)
    image = api.as_image(Path(options.map), options.axes.upper())
    planes = entry(image, **chosen(options, entry))
    print(json.dumps(planes) if options.json else "\n".join(map(str, planes)))
    return 0
