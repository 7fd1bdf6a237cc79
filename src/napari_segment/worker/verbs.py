"""What the process can do: each verb is long work that returns plain values."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Generator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np

from napari_segment import api
from napari_segment.api.outcome import outcome_of
from napari_segment.errors import InputError, Stopped
from napari_segment.image import Labels
from napari_segment.io.datasets.pairs import Pairs, open_layout
from napari_segment.recipe import Recipe, Spec
from napari_segment.registry import methods
from napari_segment.step import Step
from napari_segment.worker.comparison import centres_of, class_rows, object_rows
from napari_segment.worker.stacks import load_stack, save_stack

Message: TypeAlias = dict[str, Any]
Work: TypeAlias = Generator[Step, None, Message]


def segment(message: Message) -> Work:
    """Run a recipe on an image."""
    data = {name: load_stack(stack) for name, stack in message.get("data", {}).items()}
    recipe = Recipe.model_validate(message["recipe"])
    if methods[recipe.method.name].group == "network":
        yield from _announce_torch()
    image = load_stack(message["image"])
    labels = yield from api.segment_steps(image, recipe, data=data)
    yield Step(0, 0, "Counting what was found")
    outcome = asdict(outcome_of(labels, image))
    yield Step(0, 0, "Handing over the labels")
    return {"labels": save_stack(labels, Path(message["folder"]), "labels"), "outcome": outcome}


def segment_files(message: Message) -> Work:
    """Run a recipe on many files; the report says what became of each."""
    recipe = Recipe.model_validate(message["recipe"])
    if methods[recipe.method.name].group == "network":
        yield from _announce_torch()
    batch = api.Batch(**message["batch"])
    rows = yield from api.segment_files_steps(
        message["inputs"], message["output"], recipe, batch=batch
    )
    return {"counts": Counter(row["status"] for row in rows), "report": str(batch.report)}


def apply_filters(message: Message) -> Work:
    """Give what a recipe's method sees of an image."""
    recipe = Recipe.model_validate(message["recipe"])
    image = yield from api.filter_steps(load_stack(message["image"]), recipe)
    yield Step(0, 0, "Handing over the image")
    return {"image": save_stack(image, Path(message["folder"]), "filtered")}


def edge_points(message: Message) -> Work:
    """Locate edges between voxels: a file with the columns of the table."""
    recipe = Recipe.model_validate(message["recipe"])
    table = yield from api.edge_point_steps(load_stack(message["image"]), recipe)
    path = Path(message["folder"]) / "points.npz"
    columns: dict[str, Any] = {str(name): table[name].to_numpy() for name in table}
    np.savez(path, **columns)
    return {"table": str(path)}


def train(message: Message) -> Work:
    """Train a network on pairs of stacks or on two folders; one for each fold if asked."""
    settings = dict(message["settings"])
    folder = Path(settings["out"])
    yield from _announce_torch()
    try:
        if message.get("cross"):
            settings.pop("fold")
            folds = yield from api.cross_validate(_pairs(message), **settings)
            return _trained([c.folder for c in folds])
        checkpoint = yield from api.train(_pairs(message), **settings)
    except Stopped:
        return _trained(_saved(folder))
    return _trained([checkpoint.folder])


def _trained(folders: list[Path]) -> Message:
    """The folders of networks, and the scores of each: on its validation cases, on the test's."""
    cards = [json.loads((folder / "model.json").read_text("utf-8")) for folder in folders]
    scores = [card.get("scores", {}) for card in cards]
    best = [api.model_card(folder).best for folder in folders]
    tests = [m.values if m is not None and not m.chose else {} for m in best]
    return {"checkpoints": list(map(str, folders)), "scores": scores, "tests": tests}


def _announce_torch() -> Generator[Step, None, None]:
    """Say why the first work with networks begins late."""
    if "torch" not in sys.modules:
        yield Step(0, 0, "Loading PyTorch; the next run begins at once")


def classify(message: Message) -> Work:
    """Train a pixel classifier on strokes, and classify the image with it."""
    pairs = _pairs(message)
    settings = dict(message["settings"])
    model = yield from api.train_classifier(pairs, **settings)
    recipe = Recipe.model_validate(message["recipe"])
    yield Step(0, 0, "Classifying the image")
    labels = yield from api.segment_steps(pairs[0][0], recipe)
    yield Step(0, 0, "Handing over the labels")
    samples = {str(number): count for number, count in model.samples.items()}
    report = {
        "samples": samples, "out_of_bag": model.out_of_bag, "importances": model.importances,
    }  # fmt: skip
    return {"labels": save_stack(labels, Path(message["folder"]), "labels"), "report": report}


def classify_objects(message: Message) -> Work:
    """Train an object classifier on some objects, and classify all of them with it."""
    stacks = {
        name: load_stack(message[name])
        for name in ("labels", "examples", "image")
        if name in message
    }
    labels, image = cast("Labels", stacks["labels"]), stacks.get("image")
    case = (labels, stacks["examples"], image)
    model = yield from api.train_object_classifier([case], **message["settings"])
    yield Step(0, 0, "Classifying the objects")
    settings = {"checkpoint": model.folder}
    objects = yield from api.clean_steps(labels, [("classify_objects", settings)], image)
    step = ("classify_objects", {**settings, "give": "classes"})
    classes = yield from api.clean_steps(labels, [step], image)
    if message.get("recipe"):
        recipe = Recipe.model_validate(message["recipe"])
        further = {"cleanups": (*recipe.cleanups, Spec.of(step))}
        classes = classes.replace(recipe=api.complete(recipe.model_copy(update=further)))
    columns = {name: column.tolist() for name, column in objects.features.items()}
    given = columns["class"]
    report = {
        "samples": {model.name_of(number): count for number, count in model.samples.items()},
        "counts": {name: given.count(name) for name in map(model.name_of, model.classes)},
        "out_of_bag": model.out_of_bag, "importances": model.importances,
    }  # fmt: skip
    saved = save_stack(classes, Path(message["folder"]), "labels")
    return {"labels": saved, "features": columns, "report": report}


def augment_preview(message: Message) -> Work:
    """Change a patch as a training would: pictures of what it becomes."""
    from napari_segment.results.picture import grey, overlay

    yield Step(0, 0, "Changing a patch")
    preview = api.augment_preview(_pairs(message), message["settings"], count=message["count"])
    image, labels = preview["image"][:, 0], preview["labels"]
    if labels.ndim == 4:
        image, labels = (array[:, array.shape[1] // 2] for array in (image, labels))
    path = Path(message["folder"]) / "patches.npy"
    shown = [overlay(grey(one), marks) for one, marks in zip(image, labels, strict=True)]
    np.save(path, np.stack(shown))
    return {"pictures": str(path)}


def network_preview(message: Message) -> Work:
    """Sum up the network of a training: what it costs, its layers, and a drawing."""
    yield Step(0, 0, "Building the network")
    preview = api.network_preview(_pairs(message), message["settings"])
    path = preview.draw(Path(message["folder"]) / "network.png")
    return {"costs": preview.costs(), "table": preview.to_markdown(), "drawing": str(path)}


def check(message: Message) -> Work:
    """Check a data set: findings in plain values, errors first."""
    known = {name: message[name] for name in ("background", "ignore_index") if name in message}
    pairs = replace(Pairs.of(_pairs(message)), **known)
    findings = yield from api.check_steps(pairs)
    return {"findings": [finding.to_dict() for finding in findings]}


def convert_pairs(message: Message) -> Work:
    """Write a data set in another layout."""
    folder = yield from api.convert_pairs_steps(
        _pairs(message), message["target"], **message["settings"]
    )
    return {"folder": str(folder)}


def _pairs(message: Message) -> Any:
    pairs = message["pairs"]
    if isinstance(pairs, dict) and "folder" in pairs:
        return open_layout(pairs["folder"], pairs["layout"])
    if isinstance(pairs, dict):
        return Path(pairs["images"]), Path(pairs["labels"])
    return [(load_stack(image), load_stack(labels)) for image, labels in pairs]


def _saved(folder: Path) -> list[Path]:
    checkpoints = [
        p for p in (folder, *sorted(folder.glob("fold_*"))) if (p / "model.json").is_file()
    ]
    if not checkpoints:
        raise InputError("The training was stopped before it had saved a first network.")
    return checkpoints


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


def clean(message: Message) -> Work:
    """Clean up labels that are there already."""
    image = message.get("image")
    cleaned = yield from api.clean_steps(
        load_stack(message["labels"]), message["cleanups"], load_stack(image) if image else None
    )
    outcome = asdict(outcome_of(cleaned))
    saved = save_stack(cleaned, Path(message["folder"]), "cleaned")
    return {"labels": saved, "outcome": outcome}


def compare(message: Message) -> Work:
    """Score labels against a reference."""
    yield Step(0, 0, "Comparing")
    settings = message["settings"]
    labels, reference = (load_stack(message[name]) for name in ("labels", "reference"))
    assert isinstance(labels, Labels)
    assert isinstance(reference, Labels)
    scores = api.compare(labels, reference, **settings)
    yield Step(0, 0, "Locating the errors")
    centres = (centres_of(labels), centres_of(reference))
    errors = api.error_map(labels, reference, **settings)
    return {
        "text": str(scores), "summary": dict(scores.summary),
        "classes": class_rows(scores, centres), "objects": object_rows(scores, centres),
        "errors": save_stack(errors, Path(message["folder"]), "errors"),
    }  # fmt: skip


def track(message: Message) -> Work:
    """Number objects through time."""
    (labels,) = message["labels"]
    yield Step(0, 0, "Following the objects")
    return _objects(message, api.track(load_stack(labels), **message["settings"]))


def consensus(message: Message) -> Work:
    """Join several segmentations into one."""
    yield Step(0, 0, "Looking for agreement")
    stacks = [load_stack(labels) for labels in message["labels"]]
    return _objects(message, api.consensus(stacks, **message["settings"]))


def _objects(message: Message, labels: Labels) -> Message:
    return {"labels": save_stack(labels, Path(message["folder"]), "joined")}


def add_model(message: Message) -> Work:
    """Add a model to those of this machine."""
    model = yield from api.add_model_steps(message["source"])
    return {"name": model.name}


def verify_models(message: Message) -> Work:
    """Hash the files of models again."""
    results = yield from api.verify_models_steps(message["names"])
    return {"lines": [f"{result.name}: {result}" for result in results]}


def devices(_: Message) -> Work:
    """List the devices that networks can run on."""
    yield Step(0, 0, "Looking for devices")
    return {"devices": [[d.name, d.title] for d in api.devices()]}


VERBS: dict[str, Callable[[Message], Work]] = {
    verb.__name__: verb
    for verb in (
        segment, segment_files, apply_filters, edge_points, train, classify, classify_objects,
        augment_preview, network_preview, measure, clean, compare, track, consensus, devices,
        check, convert_pairs, add_model, verify_models,
    )
}  # fmt: skip
