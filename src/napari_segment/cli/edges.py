"""``edges``: tables of points on edges, between voxels."""

from __future__ import annotations

import argparse

from napari_segment.api.batch.object_verbs import edge_point_files_steps
from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.messages import counted
from napari_segment.cli.segment import load_recipe, typed
from napari_segment.errors import SettingError
from napari_segment.recipe import Recipe


def edges(options: argparse.Namespace) -> int:
    """Locate the edges of files into CSV tables, with the recipe next to each."""
    steps = edge_point_files_steps(
        options.inputs, options.output, _recipe(options),
        reading=reading_of(options), batch=batch_of(options),
    )  # fmt: skip
    return each_of(steps, options, _line)


def _line(row: Row) -> str:
    return f"{counted(row['rows'], 'point')} → {row['output']}"


def _recipe(options: argparse.Namespace) -> Recipe:
    """The recipe that was typed, or that of a file if nothing was."""
    from napari_segment import api

    recipe = typed(options, api.CANNY)
    if not options.recipe:
        return recipe
    if recipe != api.recipe_of(api.CANNY):
        raise SettingError(
            f"The recipe {options.recipe} says all: leave out the options of canny, filters, "
            "cleanups, channel, apply_to and times, or --recipe."
        )
    return load_recipe(options)
