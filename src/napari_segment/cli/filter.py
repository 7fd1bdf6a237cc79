"""``filter``: images in, filtered images out."""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

from napari_segment.cli.batch import each_of
from napari_segment.cli.paths import inputs_of, targets_of
from napari_segment.cli.progress import show
from napari_segment.cli.segment import load_recipe, read_input, times_of
from napari_segment.cli.settings import parse_spec
from napari_segment.errors import SettingError


def filter_files(options: argparse.Namespace) -> int:
    """Filter files by the filters that were typed, or by those of a recipe."""
    given = _given(options)
    inputs = inputs_of(options.inputs, recursive=options.recursive, skip=options.output)
    targets = targets_of(inputs, options.output, "floats")
    return each_of(list(inputs), targets, options, partial(_filter_one, options, given))


def _given(options: argparse.Namespace) -> dict[str, Any]:
    from napari_segment.registry import filters

    if bool(options.filter) == bool(options.recipe):
        raise SettingError("Say which filters: --filter NAME, several times in order, or --recipe.")
    where = {
        "channel": options.channel,
        "apply_to": options.apply_to,
        "times": times_of(options.times),
    }
    if not options.recipe:
        return {"filters": [parse_spec(text, filters) for text in options.filter], **where}
    if tuple(where.values()) != ("all", "auto", ()):
        raise SettingError(
            f"The recipe {options.recipe} says where its filters run: leave out --channel, "
            "--apply-to and --times, or --recipe."
        )
    return {"filters": load_recipe(options)}


def _filter_one(
    options: argparse.Namespace, given: dict[str, Any], path: Path, target: Path
) -> dict[str, Any]:
    from napari_segment.api import filter_steps, write

    started = time.perf_counter()
    image = show(filter_steps(read_input(options, path), **given), path.name)
    write(image, target)
    seconds = time.perf_counter() - started
    if not options.json:
        print(f"{path} → {target} ({image.dtype}, {seconds:.1f} s)")
    return {
        "input": str(path), "output": str(target), "axes": image.axes, "shape": list(image.shape),
        "dtype": str(image.dtype), "spacing": list(image.spacing), "unit": image.unit,
        "seconds": round(seconds, 3),
    }  # fmt: skip
