"""``segment`` and ``replay``: files in, labels and their recipes out."""

from __future__ import annotations

import argparse

from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.settings import chosen, parse_spec
from napari_segment.errors import SettingError
from napari_segment.recipe import Recipe


def segment(options: argparse.Namespace) -> int:
    """Segment files by the method and the settings that were typed."""
    return _run_all(options, typed(options, options.method))


def replay(options: argparse.Namespace) -> int:
    """Segment files by a recorded recipe."""
    return _run_all(options, load_recipe(options))


def load_recipe(options: argparse.Namespace) -> Recipe:
    """The recipe of the file that was typed, which writes where the options allow it."""
    return Recipe.load(options.recipe, allow_recipe_paths=options.allow_recipe_paths)


def typed(options: argparse.Namespace, method: str) -> Recipe:
    """The recipe that the options say."""
    from napari_segment.api import recipe_of
    from napari_segment.registry import cleanups, filters, methods

    return recipe_of(
        (method, chosen(options, methods[method])),
        filters=[parse_spec(text, filters) for text in options.filter],
        cleanups=[parse_spec(text, cleanups) for text in options.cleanup],
        channel=options.channel,
        apply_to=options.apply_to,
        times=times_of(options.times),
    )


def _run_all(options: argparse.Namespace, recipe: Recipe) -> int:
    from napari_segment.api import segment_files_steps

    steps = segment_files_steps(
        options.inputs, options.output, recipe, data=_further_data(options),
        pictures=options.pictures or "", reading=reading_of(options), batch=batch_of(options),
    )  # fmt: skip
    return each_of(steps, options, _line)


def _line(row: Row) -> str:
    return f"{row['input']} → {row['output']} ({row['summary']}, {row['seconds']:.1f} s)"


def _further_data(options: argparse.Namespace) -> dict[str, str]:
    """The files, or folders of files, of what the method takes besides the image."""
    files = {}
    for text in options.data:
        name, _, file = text.partition("=")
        if not file:
            raise SettingError(f"Cannot read the data {text!r}: write such as markers=marks.tif.")
        files[name] = file
    return files


def times_of(text: str) -> tuple[int, int] | tuple[()]:
    """Read FIRST:LAST."""
    if not text:
        return ()
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit()):
        raise SettingError(f"Cannot read the time range {text!r}: write FIRST:LAST, such as 0:10.")
    return int(first), int(last)
