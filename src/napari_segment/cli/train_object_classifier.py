"""``train-object-classifier``: objects and some classes in, the folder of a classifier out."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.cli.classifier_report import report_classifier
from napari_segment.cli.progress import show
from napari_segment.cli.settings import chosen
from napari_segment.errors import FormatError, InputError

if TYPE_CHECKING:
    from napari_segment.api.object_classifier import ObjectsLike


def train_object_classifier(options: argparse.Namespace) -> int:
    """Train an object classifier and say where it is and what it looks at."""
    from napari_segment import api
    from napari_segment.classical.object_classifier.training import ENTRY

    settings = {**chosen(options, ENTRY), "out": Path(options.output)}
    steps = api.train_object_classifier(_cases(options), **settings)
    model = show(steps, "train-object-classifier")
    use = f"--cleanup classify_objects:checkpoint={model.folder} of 'segment'"
    report_classifier(model, "objects", use, as_json=options.json)
    return 0


def _cases(options: argparse.Namespace) -> list[ObjectsLike]:
    """Pairs or triples of files: one of each, or those of folders by name."""
    labels, classes = Path(options.labels), Path(options.classes)
    images = Path(options.images) if options.images else None
    for path in (labels, classes, *([images] if images else [])):
        if not path.exists():
            raise FormatError(f"There is no {path}.")
    if not _is_folder(labels):
        return [(labels, classes, images)]
    pictures = _by_labels(images, labels)
    if classes.suffix.lower() == ".csv":
        return _of_table(labels, classes, pictures, images is not None)
    return [(one, given, pictures.get(one)) for one, given in _matched(labels, classes)]


def _is_folder(path: Path) -> bool:
    from napari_segment.io.listing import is_image

    return path.is_dir() and not is_image(path)


def _of_table(
    folder: Path, table: Path, pictures: dict[Path, Path], wanted: bool
) -> list[ObjectsLike]:
    """Cases of the files that a table with a column "file" names."""
    from napari_segment.api.object_classifier import read_classes
    from napari_segment.io.listing import images_in

    cases: list[ObjectsLike] = []
    for file in images_in(folder):
        classes = read_classes(table, file.name)
        if classes and (file in pictures or not wanted):
            cases.append((file, classes, pictures.get(file)))
    if not cases:
        raise InputError(
            f"The table {table} names no file of {folder}: give it a column 'file' with the names "
            "of the label files, and the images under the same names."
        )
    return cases


def _matched(first: Path, second: Path) -> list[tuple[Path, Path]]:
    from napari_segment.io.datasets.matching import match_files

    cases, _ = match_files(first, second)
    return [(Path(str(case.image)), Path(str(case.labels))) for case in cases]


def _by_labels(images: Path | None, labels: Path) -> dict[Path, Path]:
    """The image of each file of labels."""
    if images is None:
        return {}
    return {label: image for image, label in _matched(images, labels)}
