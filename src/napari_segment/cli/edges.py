"""``edges``: a table of points on edges, between voxels."""

from __future__ import annotations

import argparse

from napari_segment.api.batch.paths import table_path
from napari_segment.cli.batch import reading_of
from napari_segment.cli.cluster import cluster
from napari_segment.cli.messages import counted
from napari_segment.cli.progress import show
from napari_segment.cli.segment import load_recipe, typed
from napari_segment.errors import SettingError
from napari_segment.recipe import Recipe


def edges(options: argparse.Namespace) -> int:
    """Locate the edges of a file into a CSV table, with the recipe next to it."""
    from napari_segment import api
    from napari_segment.results.measure import with_units

    recipe = _recipe(options)
    target = table_path(options.output, [options.image])
    with cluster(options.scheduler):
        image = reading_of(options).image(options.image)
        table = show(api.edge_point_steps(image, recipe), image.name)
    path = api.write(with_units(table), target)
    recipe.save(path.with_name(f"{path.name}.recipe.yaml"))  # labels may have the same stem
    print(f"{counted(len(table), 'point')} → {path}")
    return 0


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
