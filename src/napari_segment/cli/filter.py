"""``filter``: images in, filtered images out."""

from __future__ import annotations

import argparse
from typing import Any

from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.segment import load_recipe, times_of
from napari_segment.cli.settings import parse_spec
from napari_segment.errors import SettingError


def filter_files(options: argparse.Namespace) -> int:
    """Filter files by the filters that were typed, or by those of a recipe."""
    from napari_segment.api import filter_files_steps

    more: dict[str, Any] = {"reading": reading_of(options), "batch": batch_of(options)}
    steps = filter_files_steps(options.inputs, options.output, **_given(options), **more)
    return each_of(steps, options, _line)


def _line(row: Row) -> str:
    return f"{row['input']} → {row['output']} ({row['summary']}, {row['seconds']:.1f} s)"


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
