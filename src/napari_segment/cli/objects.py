"""``clean``, ``track``, ``consensus`` and ``rank``: what comes after a segmentation."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_segment.api.batch.object_verbs import (
    clean_files_steps,
    consensus_files_steps,
    track_files_steps,
)
from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.settings import chosen, parse_spec
from napari_segment.errors import SettingError


def clean(options: argparse.Namespace) -> int:
    """Clean up labels of files."""
    from napari_segment.registry import cleanups

    if not options.cleanup:
        raise SettingError("Say what to do: --cleanup NAME[:KEY=VALUE,…], several times in order.")
    steps = clean_files_steps(
        options.labels, options.output, [parse_spec(text, cleanups) for text in options.cleanup],
        images=options.image, channel=options.channel, apply_to=options.apply_to,
        reading=replace(reading_of(options), holds=options.holds), batch=batch_of(options),
    )  # fmt: skip
    return each_of(steps, options, _line)


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
