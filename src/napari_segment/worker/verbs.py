"""What the process can do: each verb is long work that returns plain values."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, TypeAlias

from napari_segment import api
from napari_segment.errors import InputError
from napari_segment.recipe import Recipe
from napari_segment.step import Step
from napari_segment.worker.stacks import load_stack, save_stack

Message: TypeAlias = dict[str, Any]
Work: TypeAlias = Generator[Step, None, Message]


class Stopped(Exception):  # noqa: N818 (a wish, not an error)
    """Thrown into work that is to end early with what it has."""


def segment(message: Message) -> Work:
    """Run a recipe on an image."""
    data = {name: load_stack(stack) for name, stack in message.get("data", {}).items()}
    recipe = Recipe.model_validate(message["recipe"])
    labels = yield from api.segment_steps(load_stack(message["image"]), recipe, data=data)
    yield Step(0, 0, "Handing over the labels")
    return {"labels": save_stack(labels, Path(message["folder"]), "labels")}


def train(message: Message) -> Work:
    """Train a network on pairs of stacks, or on two folders."""
    settings = dict(message["settings"])
    pairs = message["pairs"]
    if isinstance(pairs, dict):
        given: Any = (Path(pairs["images"]), Path(pairs["labels"]))
    else:
        given = [(load_stack(image), load_stack(labels)) for image, labels in pairs]
    try:
        checkpoint = yield from api.train(given, **settings)
    except Stopped:
        return {"checkpoint": _best(Path(settings["out"]))}
    return {"checkpoint": str(checkpoint.folder)}


def _best(folder: Path) -> str:
    if not (folder / "model.json").is_file():
        raise InputError("The training was stopped before it had saved a first network.")
    return str(folder)


def measure(message: Message) -> Work:
    """Measure labels: a column of numbers for each property, units in the names."""
    from napari_segment.results.measure import with_units

    image = message.get("image")
    yield Step(0, 0, "Measuring")
    table = api.measure(
        load_stack(message["labels"]),
        load_stack(image) if image else None,
        properties=message.get("properties", "basic"),
    )
    table = with_units(table)
    return {"columns": {str(name): table[name].tolist() for name in table.columns}}


def compare(message: Message) -> Work:
    """Score labels against a reference."""
    yield Step(0, 0, "Comparing")
    scores = api.compare(load_stack(message["labels"]), load_stack(message["reference"]))
    return {"text": str(scores), "summary": dict(scores.summary)}


def devices(_: Message) -> Work:
    """List the devices that networks can run on."""
    yield Step(0, 0, "Looking for devices")
    return {"devices": [[d.name, d.title] for d in api.devices()]}


VERBS: dict[str, Callable[[Message], Work]] = {
    verb.__name__: verb for verb in (segment, train, measure, compare, devices)
}
