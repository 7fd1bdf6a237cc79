"""``check`` and ``convert``: data sets, and single files, from one form to another."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

from napari_segment.cli.batch import each_of
from napari_segment.cli.paths import inputs_of, targets_of
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
    inputs = inputs_of(options.inputs, recursive=options.recursive, skip=options.output)
    targets = targets_of(inputs, options.output, "labels" if options.are_labels else "floats")
    if options.suffix:
        targets = [_renamed(target, options.suffix) for target in targets]
    return each_of(list(inputs), targets, options, partial(_convert_one, options))


def _renamed(target: Path, suffix: str) -> Path:
    from napari_segment import io

    ending = suffix if suffix.startswith(".") else f".{suffix}"
    if not io.is_readable(f"a{ending}"):
        known = ", ".join(sorted(s for f in io.formats.values() if f.writes for s in f.suffixes))
        raise SettingError(f"--suffix {suffix} is no known format. Known: {known}.")
    return target.with_name(io.stem(target) + ending)


def _convert_one(options: argparse.Namespace, path: Path, target: Path) -> dict[str, Any]:
    from napari_segment import api, io

    choice: dict[str, Any] = {
        "axes": options.axes, "series": options.series, "incomplete": options.incomplete
    }  # fmt: skip
    stack: Any
    if options.are_labels:
        stack = io.read_labels(path, holds=options.holds, **choice)
    else:
        stack = api.read(path, lazy=True, **choice)
    api.write(stack, target, reference=options.reference)
    if not options.json:
        print(f"{path} → {target} ({stack.axes}, {stack.dtype})")
    return {
        "input": str(path), "output": str(target), "axes": stack.axes, "shape": list(stack.shape),
        "dtype": str(stack.dtype), "spacing": list(stack.spacing), "unit": stack.unit,
    }  # fmt: skip


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
