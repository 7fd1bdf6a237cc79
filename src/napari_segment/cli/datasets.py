"""``check`` and ``convert``: data sets, and single files, from one form to another."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_segment.cli.batch import batch_of, each_of, reading_of
from napari_segment.cli.progress import show
from napari_segment.errors import SettingError


def check(options: argparse.Namespace) -> int:
    """Say what is wrong with a data set; the exit status is 1 if anything is."""
    from napari_segment import api

    findings = show(api.check_steps(pairs_of(options)), "check")
    if options.json:
        print(json.dumps([finding.to_dict() for finding in findings], indent=2))
    else:
        for finding in findings:
            print(f"{finding.severity}: {finding.message}")
    return int(any(finding.severity == "error" for finding in findings))


def pairs_of(options: argparse.Namespace) -> Any:
    """The data set that options name: two folders, or one of a known layout."""
    from napari_segment.io.datasets.pairs import open_layout

    if options.dataset:
        return open_layout(options.dataset, options.layout or "auto")
    if options.images and options.labels:
        return Path(options.images), Path(options.labels)
    raise SettingError(
        "A data set is needed: give --images DIR and --labels DIR, or --dataset DIR."
    )


def convert(options: argparse.Namespace) -> int:
    """Write files in another format, or a data set in another layout."""
    if options.dataset or options.images or options.labels:
        return _convert_pairs(options)
    if not options.inputs:
        raise SettingError("Give the files to convert, or a data set with --dataset DIR.")
    from napari_segment.api import convert_files_steps

    steps = convert_files_steps(
        options.inputs, options.output, suffix=options.suffix, are_labels=options.are_labels,
        reference=options.reference, reading=reading_of(options), batch=batch_of(options),
    )  # fmt: skip
    return each_of(steps, options)


def _convert_pairs(options: argparse.Namespace) -> int:
    from napari_segment import api

    if options.inputs:
        raise SettingError("Give either files to convert or a data set, not both.")
    folder = show(
        api.convert_pairs_steps(
            pairs_of(options), options.output, layout=options.to_layout, suffix=options.suffix
        ),
        "convert",
    )
    if options.json:
        print(json.dumps({"output": str(folder), "layout": options.to_layout}))
    else:
        print(f"→ {folder} ({options.to_layout})")
    return 0
