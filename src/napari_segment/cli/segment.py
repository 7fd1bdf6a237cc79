"""``segment`` and ``replay``: files in, labels and their recipes out."""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from napari_segment.blocks.memory import free_memory
from napari_segment.cli.messages import complain
from napari_segment.cli.paths import inputs_of, keep, of_equal_name, targets_of
from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen, parse_spec
from napari_segment.errors import MissingError, SegmentError, SettingError
from napari_segment.image import RGB, Image, Labels, Stack
from napari_segment.recipe import Recipe

S = TypeVar("S", bound=Stack)

LARGE = 0.2  # of the free memory: a larger input stays on disk and runs block by block


def segment(options: argparse.Namespace) -> int:
    """Segment files by the method and the settings that were typed."""
    return _run_all(options, typed(options, options.method))


def replay(options: argparse.Namespace) -> int:
    """Segment files by a recorded recipe."""
    return _run_all(options, Recipe.load(options.recipe))


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
    return _read(options, partial(read, path, axes=options.axes.upper(), **given))


def read_labels_input(options: argparse.Namespace, path: str | Path) -> Labels:
    """Read labels as the options of the input say, whose axes are those of an image."""
    from napari_segment.io import read_labels

    axes = options.axes.upper().replace("C", "")
    series = "" if options.image else options.series  # which is that of the image
    given = {"series": series, "holds": options.holds, "incomplete": options.incomplete}
    return _read(options, partial(read_labels, path, axes=axes, **given))


def _read(options: argparse.Namespace, read: Callable[..., S]) -> S:
    stack = read(lazy=True)
    if stack.is_lazy and not options.lazy and not options.scheduler and _fits(stack):
        stack = read()
    if options.spacing:
        stack = stack.replace(spacing=_numbers(options.spacing), affine=None)
    return stack.replace(unit=options.unit) if options.unit else stack


def _fits(image: Stack) -> bool:
    """Whether an image leaves room in memory for what is made of it."""
    return image.dtype.itemsize * math.prod(image.shape) < LARGE * free_memory()


@contextmanager
def cluster(address: str) -> Iterator[None]:
    """Let Dask arrays run on a cluster, if an address was given."""
    if not address:
        yield
        return
    try:
        from distributed import Client
        from distributed.comm import resolve_address
    except ImportError:
        raise MissingError(
            "--scheduler needs Dask's cluster client: pip install distributed."
        ) from None
    try:  # a default client that failed would still be asked
        resolve_address(address)  # a client that fails for this cannot be closed
        Client(address, timeout="10s", set_as_default=False).close()
    except (OSError, ValueError) as error:
        raise MissingError(f"No Dask scheduler answers at {address}: {error}") from None
    with Client(address, timeout="10s") as client:
        if not client.scheduler_info()["workers"]:
            print(f"The Dask cluster at {address} has no workers yet: waiting.", file=sys.stderr)
        with _what_clusters_say(address):
            yield


@contextmanager
def _what_clusters_say(address: str) -> Iterator[None]:
    """Say what is amiss with a cluster as it ends the work."""
    try:
        yield
    except FileNotFoundError as error:
        raise MissingError(
            f"{error.filename or error} is not there for a worker of {address}. The workers of a "
            "cluster must see the same files, under the same paths, as this program."
        ) from error
    except CancelledError as error:
        raise MissingError(
            f"The Dask scheduler at {address} was lost before the work was done. Start it, and "
            "run this again."
        ) from error


def _run_all(options: argparse.Namespace, recipe: Recipe) -> int:
    further = _further_data(options, recipe)
    inputs = list(inputs_of(options.inputs))
    targets = targets_of(inputs, options.output)
    read = [*inputs, *inputs_of(map(str, further.values()))]
    keep(read, targets)
    if options.pictures:
        pictures = [_picture(options, target) for target in targets]
        keep(read, pictures)
        keep(targets, pictures, "output")
    return each_of(inputs, targets, options, partial(_run_one, options, recipe, further))


def each_of(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    options: argparse.Namespace,
    work: Callable[[Path, Path], dict[str, Any]],
) -> int:
    """Do the same to several files; of several, those that fail are told and counted.

    Parameters
    ----------
    inputs, targets : sequence of Path
        From where to where.
    options : Namespace
        Of the command.
    work : callable
        Does it to one file, and gives its report.
    """
    reports, failures = [], 0
    with cluster(options.scheduler):
        for path, target in zip(inputs, targets, strict=True):
            try:
                reports.append(work(path, target))
            except SegmentError as error:
                if options.debug or len(inputs) == 1:
                    raise
                failures += 1
                complain(f"{path}: {error}")
    if options.json:
        print(json.dumps(reports, indent=2))
    if failures:
        print(f"{failures} of {len(inputs)} inputs failed.", file=sys.stderr)
    return 1 if failures else 0


def _run_one(
    options: argparse.Namespace, recipe: Recipe, further: dict[str, Path], path: Path, target: Path
) -> dict[str, Any]:
    from napari_segment.api import segment_steps, write

    started = time.perf_counter()
    data = {name: of_equal_name(place, path) for name, place in further.items()}
    image = read_input(options, path)
    if not options.lazy and not options.scheduler and _needs_whole(recipe):
        image = image.compute()
    labels = show(segment_steps(image, recipe, data=data), path.name)
    write(labels, target)
    if options.pictures:
        _draw(image, labels, _picture(options, target))
    seconds = time.perf_counter() - started
    if not options.json:
        print(f"{path} → {target} ({labels.holds}, {seconds:.1f} s)")
    return {
        "input": str(path),
        "output": str(target),
        "holds": labels.holds,
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
    """The files, or folders of files, of what the method takes beside the image."""
    from napari_segment.registry import FROM_IMAGE, methods

    entry, found = methods[recipe.method.name], {}
    for text in options.data:
        name, _, file = text.partition("=")
        if not file:
            raise SettingError(f"Cannot read the data {text!r}: write such as markers=marks.tif.")
        if name not in set(entry.data) - set(FROM_IMAGE):
            raise SettingError(f"The method {entry.name!r} takes no {name!r} beside the image.")
        found[name] = Path(file)
    return found


def _picture(options: argparse.Namespace, target: Path) -> Path:
    from napari_segment.io import stem

    return Path(options.pictures) / f"{stem(target)}.png"


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
