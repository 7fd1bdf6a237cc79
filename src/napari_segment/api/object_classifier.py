"""The verb that trains an object classifier on some objects with a class."""

from __future__ import annotations

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from napari_segment.api.coercion import as_image, as_labels
from napari_segment.api.types import DataLike, ImageLike, LabelsLike
from napari_segment.errors import FormatError, InputError
from napari_segment.image import Image, Labels, align
from napari_segment.step import Step

if TYPE_CHECKING:
    from napari_segment.classical.object_classifier.model import ObjectClassifier
    from napari_segment.classical.object_classifier.training import ClassifiedObjects

Class: TypeAlias = int | str
ClassesLike: TypeAlias = Mapping[int, Class] | Mapping[tuple[int, int], Class] | DataLike | str
ObjectsLike: TypeAlias = (
    tuple[LabelsLike, ClassesLike] | tuple[LabelsLike, ClassesLike, ImageLike | None]
)
Key: TypeAlias = tuple[int, int]  # time point, object number


def train_object_classifier(
    cases: Iterable[ObjectsLike],
    *,
    out: str | Path = "object_classifier",
    overwrite: bool = False,
    properties: tuple[str, ...] | Literal["auto"] = "auto",
    trees: int = 100,
    min_leaf: int = 1,
    max_depth: int | Literal["none"] = "none",
    seed: int = 0,
) -> Generator[Step, None, ObjectClassifier]:
    """Train an object classifier on objects of which some have a class: a generator of Steps.

    Parameters
    ----------
    cases : iterable of (labels, classes) or (labels, classes, image)
        Labels of objects; the class of some of them; and an image, for intensities and textures.
        Classes are ``{object: class}`` (or ``{(time, object): class}``) with numbers from 1 or
        names; or a table as a ``.csv`` file with the columns ``label`` and ``class`` (and
        ``time``); or labels of classes painted on the objects, where each object takes the class of
        most of its painted voxels.
    out : path
        Folder of the classifier.
    overwrite : bool
        Replace a classifier in the folder.
    properties : tuple of str or "auto"
        What is measured of each object, as for `measure`. "auto" is size, shape and, with an image,
        intensity and texture; nothing that depends on where an object lies.
    trees, min_leaf, max_depth : int
        Number of trees, least number of objects in a leaf, longest path ("none" for no limit).
    seed : int
        Random seed for the trees.

    Yields
    ------
    Step
        One for each case, and one before the fit.

    Returns
    -------
    ObjectClassifier
        For the cleanup ``("classify_objects", {"checkpoint": classifier.folder})``.

    Raises
    ------
    InputError
        If fewer than two classes have an object, an object is not there, or the cases do not go
        together.

    Examples
    --------
    >>> from napari_segment.step import run
    >>> classes = {3: "round", 7: "long", 8: "round"}
    >>> classifier = run(train_object_classifier([(labels, classes)]))  # doctest: +SKIP
    """
    from napari_segment.classical.object_classifier.training import ENTRY
    from napari_segment.io.lock import locked

    settings = ENTRY.validate(
        {
            "out": Path(out), "overwrite": overwrite, "properties": properties, "trees": trees,
            "min_leaf": min_leaf, "max_depth": max_depth, "seed": seed,
        }
    )  # fmt: skip
    with locked(Path(out), "another training"):
        classifier: ObjectClassifier = yield from ENTRY.function(_classified(cases), **settings)
    return classifier


def read_classes(path: str | Path, file: str = "") -> dict[Key, Class]:
    """Read which object has which class from a table.

    Parameters
    ----------
    path : path
        A ``.csv`` file with the columns ``label`` and ``class``, and if wanted ``time`` and
        ``file``. Empty classes are passed over.
    file : str
        Where the table has a column ``file``: the rows of which one, by its name with or without
        what follows the first point.

    Returns
    -------
    dict of (int, int) to int or str
        The class by time point (0 where there is none) and object number.

    Raises
    ------
    FormatError
        If it is no such table.
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as stream:
            table = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FormatError(f"Cannot read the table {path}: {error}") from None
    if not table or not {"label", "class"} <= set(table[0]):
        raise FormatError(
            f"{path} is no table of classes: it needs a row for each object with a class, and the "
            "columns 'label' and 'class'."
        )
    stem = _stem(file)
    rows = [row for row in table if not file or "file" not in row or _stem(row["file"]) == stem]
    return {_key(row, path): _class(row["class"]) for row in rows if (row["class"] or "").strip()}


def _stem(file: str | None) -> str:
    return Path(file or "").name.split(".")[0]


def _key(row: Mapping[str, str | None], path: str | Path) -> Key:
    try:
        return int(float(row.get("time") or 0)), int(float(row["label"] or ""))
    except ValueError:
        raise FormatError(
            f"{path}: {row.get('label')!r} (time {row.get('time') or 0!r}) is not the number of an "
            "object."
        ) from None


def _class(text: str) -> Class:
    return int(text) if text.strip().isdecimal() else text.strip()


def _classified(cases: Iterable[ObjectsLike]) -> Iterator[ClassifiedObjects]:
    """Every case with class numbers; names are numbered in alphabetical order."""
    from napari_segment.classical.object_classifier.training import ClassifiedObjects

    read = [_read(f"case {i}", *case) for i, case in enumerate(cases, 1)]
    given = {value for _, _, classes, _, _ in read for value in classes.values()}
    texts = sorted(value for value in given if isinstance(value, str))
    if texts and len(texts) < len(given):
        number = next(value for value in given if not isinstance(value, str))
        raise InputError(
            f"Some classes are names ({texts[0]!r}) and some numbers ({number}): give all of them "
            "names, or all numbers."
        )
    numbers: dict[Class, int] = {name: i for i, name in enumerate(texts, 1)}
    for name, labels, classes, image, names in read:
        by_key = {key: numbers.get(value, value) for key, value in classes.items()}
        whole = {key: int(value) for key, value in by_key.items()}
        called = {number: str(text) for text, number in numbers.items()} or names
        yield ClassifiedObjects(name, labels, image, whole, called)


def _read(
    name: str, given: LabelsLike, classes: ClassesLike, picture: ImageLike | None = None
) -> tuple[str, Labels, dict[Key, Class], Image | None, Mapping[int, str]]:
    """The parts of a case: name, objects, classes, image and names of classes."""
    labels = as_labels(given).canonical()
    name = labels.name or (str(given) if isinstance(given, str | Path) else name)
    image = None if picture is None else as_image(picture)
    if isinstance(classes, str | Path) and str(classes).lower().endswith(".csv"):
        return name, labels, read_classes(classes), image, {}
    if isinstance(classes, Mapping):
        return name, labels, {_timed(key): value for key, value in classes.items()}, image, {}
    painted = align(as_labels(classes, holds="classes"), labels, what="classes", onto="labels")
    return name, labels, dict(_of_objects(labels, painted.canonical())), image, painted.names


def _timed(key: int | tuple[int, int]) -> Key:
    return (int(key[0]), int(key[1])) if isinstance(key, tuple) else (0, int(key))


def _of_objects(labels: Labels, painted: Labels) -> Iterator[tuple[Key, int]]:
    """The class of most of the painted voxels of each object; the smaller of two with as many."""
    for time in range(labels.size("T") if "T" in labels.axes else 1):
        both = [s.take("T", time) if "T" in s.axes else s for s in (labels, painted)]
        for label, number in _majorities(*(stack.data for stack in both)):
            yield (time, label), number


def _majorities(labels: DataLike, painted: DataLike) -> Sequence[tuple[int, int]]:
    from napari_segment.blocks import overlaps

    pairs, voxels = overlaps(labels, painted)
    on_objects = (pairs > 0).all(1)
    pairs, voxels = pairs[on_objects], voxels[on_objects]
    order = np.lexsort((pairs[:, 1], -voxels, pairs[:, 0]))
    _, first = np.unique(pairs[order, 0], return_index=True)
    return [(int(label), int(number)) for label, number in pairs[order[first]]]
