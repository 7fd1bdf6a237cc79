"""``segment`` and ``replay``: files in, labels and their recipes out."""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TypeVar

from napari_segment.blocks.memory import free_memory
from napari_segment.cli.batch import Row, each_of
from napari_segment.cli.paths import Matching, inputs_of, protect, targets_of
from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen, parse_spec
from napari_segment.errors import FormatError, SettingError
from napari_segment.image import RGB, Image, Labels, Stack
from napari_segment.recipe import Recipe

S = TypeVar("S", bound=Stack)

LARGE = 0.2  # of the free memory: a larger input stays on disk and runs block by block
SMALL = 1 << 21  # bytes of a file that is read at once, without asking how large its image is


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


def read_input(options: argparse.Namespace, path: str | Path) -> Image:
    """Read an image as the options of the input say; what is large stays on disk."""
    from napari_segment.io import read

    given = {"series": options.series, "incomplete": options.incomplete}
    return _read(options, path, partial(read, path, axes=options.axes.upper(), **given))


def read_labels_input(options: argparse.Namespace, path: str | Path) -> Labels:
    """Read labels as the options of the input say, whose axes are those of an image."""
    from napari_segment.io import read_labels

    axes = options.axes.upper().replace("C", "")
    series = "" if options.image else options.series  # which is that of the image
    given = {"series": series, "holds": options.holds, "incomplete": options.incomplete}
    return _read(options, path, partial(read_labels, path, axes=axes, **given))


def _read(options: argparse.Namespace, path: str | Path, read: Callable[..., S]) -> S:
    in_memory = not options.lazy and not options.scheduler
    stack = read(lazy=not (in_memory and _is_small(Path(path))))
    if stack.is_lazy and in_memory and _fits(stack):
        stack = read()
    if options.spacing:
        stack = stack.replace(spacing=_numbers(options.spacing), affine=None)
    return stack.replace(unit=options.unit) if options.unit else stack


def _is_small(path: Path) -> bool:
    return path.is_file() and path.stat().st_size <= SMALL


def _fits(image: Stack) -> bool:
    """Whether an image leaves room in memory for what is made of it."""
    return image.dtype.itemsize * math.prod(image.shape) < LARGE * free_memory()


def _run_all(options: argparse.Namespace, recipe: Recipe) -> int:
    further = _further_data(options, recipe)
    inputs = inputs_of(options.inputs, recursive=options.recursive, skip=options.output)
    targets = targets_of(inputs, options.output)
    read = [*inputs, *inputs_of(map(str, further.values()), recursive=options.recursive)]
    protect(read, targets)
    if options.pictures:
        folders = zip(inputs.values(), targets, strict=True)
        pictures = [_picture(options, folder, target) for folder, target in folders]
        protect(read, pictures)
        protect(targets, pictures, "output")
    matches = {name: Matching(path, options.recursive) for name, path in further.items()}
    work = partial(_run_one, options, recipe, inputs, matches)
    return each_of(list(inputs), targets, options, work, partial(_is_done, recipe))


def _is_done(recipe: Recipe, path: Path, target: Path) -> bool:  # noqa: ARG001
    """Whether labels are complete and of the same recipe, which is written last."""
    from napari_segment.api import complete
    from napari_segment.io import recipe_path

    if not target.exists():
        return False
    try:
        written = Recipe.load(recipe_path(target), allow_recipe_paths=True)
    except FormatError:
        return False
    return written.model_copy(update={"warnings": recipe.warnings}) == complete(recipe)


def _run_one(
    options: argparse.Namespace,
    recipe: Recipe,
    inputs: Mapping[Path, Path],
    further: Mapping[str, Matching],
    path: Path,
    target: Path,
) -> Row:
    from napari_segment.api import segment_steps, write
    from napari_segment.api.outcome import outcome_of

    started = time.perf_counter()
    data = {name: files.like(path, inputs[path]) for name, files in further.items()}
    image = read_input(options, path)
    if not options.lazy and not options.scheduler and _needs_whole(recipe):
        image = image.compute()
    labels = show(segment_steps(image, recipe, data=data), path.name)
    write(labels, target)
    if options.pictures:
        _draw(image, labels, _picture(options, inputs[path], target))
    outcome = outcome_of(labels, image, pieces=False)
    seconds = time.perf_counter() - started
    if not options.json:
        print(f"{path} → {target} ({outcome.text or labels.holds}, {seconds:.1f} s)")
    return {
        "input": str(path),
        "output": str(target),
        "holds": labels.holds,
        "count": outcome.count,
        "axes": labels.axes,
        "shape": list(labels.shape),
        "spacing": list(labels.spacing),
        "unit": labels.unit,
        "seconds": round(seconds, 3),
        "recipe": labels.recipe.model_dump(mode="json") if labels.recipe else None,
    }


def _needs_whole(recipe: Recipe) -> bool:
    """Whether some part of a recipe cannot run block by block, however large the input is."""
    from napari_segment.registry import cleanups, filters, methods

    registries = (*[filters] * len(recipe.filters), methods, *[cleanups] * len(recipe.cleanups))
    specs = (*recipe.filters, recipe.method, *recipe.cleanups)
    return any(r[spec.name].whole for r, spec in zip(registries, specs, strict=True))


def _further_data(options: argparse.Namespace, recipe: Recipe) -> dict[str, Path]:
    """The files, or folders of files, of what the method takes besides the image."""
    from napari_segment.registry import FROM_IMAGE, methods

    entry, files = methods[recipe.method.name], {}
    for text in options.data:
        name, _, file = text.partition("=")
        if not file:
            raise SettingError(f"Cannot read the data {text!r}: write such as markers=marks.tif.")
        if name not in set(entry.data) - set(FROM_IMAGE):
            raise SettingError(f"The method {entry.name!r} takes no {name!r} besides the image.")
        files[name] = Path(file)
    return files


def _picture(options: argparse.Namespace, folder: Path, target: Path) -> Path:
    from napari_segment.io import stem

    return Path(options.pictures) / folder / f"{stem(target)}.png"


def _draw(image: Image, labels: Labels, path: Path) -> None:
    from napari_segment.api import write
    from napari_segment.results.picture import picture

    write(Image(picture(image, labels), "YXC", channels=RGB), path)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"Cannot read {text!r} as numbers: write such as 2,0.5,0.5.") from None


def times_of(text: str) -> tuple[int, int] | tuple[()]:
    """Read FIRST:LAST."""
    if not text:
        return ()
    first, _, last = text.partition(":")
    if not (first.isdigit() and last.isdigit()):
        raise SettingError(f"Cannot read the time range {text!r}: write FIRST:LAST, such as 0:10.")
    return int(first), int(last)
