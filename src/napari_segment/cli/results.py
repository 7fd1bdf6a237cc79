"""``measure`` and ``compare``: tables and scores of labels."""

from __future__ import annotations

import argparse
import json
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_segment.cli.batch import Row, each_of
from napari_segment.cli.measure_table import MeasureTable
from napari_segment.cli.messages import complain, counted, in_columns, message_of
from napari_segment.cli.paths import Matching, inputs_of, is_image, table_path
from napari_segment.cli.segment import read_input, read_labels_input
from napari_segment.errors import FormatError, InputError

if TYPE_CHECKING:
    import pandas as pd

FOLLOWING = ("segmentation_quality", "recognition_quality")  # of f1 and panoptic_quality


def measure(options: argparse.Namespace) -> int:
    """Measure the objects of one or several files into one CSV table."""
    inputs = _labels_of(options)
    images = Matching(Path(options.image), options.recursive) if options.image else None
    read = [*inputs, *inputs_of([options.image] if options.image else [], recursive=True)]
    target = table_path(options.output, read)
    alone = list(inputs) == [Path(options.labels[0])]
    table = MeasureTable(target, alone=alone, go_on=options.skip_existing)

    def work(path: Path, target: Path) -> Row:  # noqa: ARG001
        image = images.like(path, inputs[path]) if images else None
        return table.add(path, _measured(options, path, image))

    def is_done(path: Path, target: Path) -> bool:
        return target.exists() if alone else str(path) in table.files

    try:
        status = each_of(list(inputs), [target] * len(inputs), options, work, is_done)
    finally:
        table.save()
    if table.files and not options.json:
        print(table.summary())
    return status


def _labels_of(options: argparse.Namespace) -> dict[Path, Path]:
    """The inputs without the maps that lie next to results."""
    from napari_segment import io

    inputs = inputs_of(options.labels, recursive=options.recursive)
    names = {path: str(path.with_name(io.stem(path))) for path in inputs}
    given, results = set(map(Path, options.labels)), set(names.values())
    return {
        path: folder
        for path, folder in inputs.items()
        if path in given or not _is_map(names[path], results)
    }


def _measured(options: argparse.Namespace, path: Path, image: Path | None) -> pd.DataFrame:
    from napari_segment import api
    from napari_segment.results.measure import with_units

    asked = [name.strip() for name in options.properties.split(",")]
    labels = read_labels_input(options, path)
    intensities = read_input(options, image) if image else None
    return with_units(api.measure(labels, intensities, properties=asked))


def compare(options: argparse.Namespace) -> int:
    """Score a file or a folder against references of equal names."""
    from napari_segment.results.compare import aggregate

    cases = _cases(Path(options.result), Path(options.reference), options.recursive)
    if options.table:
        table_path(options.table, (path for pair in cases.values() for path in pair))
    scores: dict[str, Any] = {}
    failures = 0
    for name, (result, reference) in cases.items():
        try:
            scores[name] = _score(result, reference, options)
        except Exception as error:  # one bad file does not end the work on the others
            if options.debug or len(cases) == 1:
                raise
            failures += 1
            complain(f"{name}: {message_of(error)}")
    if options.table:
        _write_table(scores, options.table)
    if options.json:
        listed: dict[str, Any] = {name: score.to_dict() for name, score in scores.items()}
        print(json.dumps({**aggregate(scores.values()).to_dict(), "cases": listed}, indent=2))
    elif scores:
        _print(scores)
    return 1 if failures else 0


def _print(scores: dict[str, Any]) -> None:
    from napari_segment.results.compare import aggregate

    if len(scores) == 1:
        print(next(iter(scores.values())))
        return
    whole = aggregate(scores.values())
    shown = [name for name in whole.mean if name not in FOLLOWING]
    names = [name.partition("_") for name in shown]  # on two lines, which makes columns narrow
    numbers = [(name, score.summary) for name, score in scores.items()]
    rows = [["", *(first for first, _, _ in names)], ["case", *(rest for _, _, rest in names)]]
    rows += [[name, *(_number(row.get(key)) for key in shown)] for name, row in numbers]
    for title, values, intervals in (
        ("mean over cases", whole.mean, whole.mean_interval),
        ("pooled", whole.pooled, whole.pooled_interval),
    ):
        rows.append([title, *(_number(values.get(key)) for key in shown)])
        rows.append(["  95 % interval", *(_limits(intervals.get(key)) for key in shown)])
    print(in_columns(rows))


def _limits(interval: tuple[float, float] | None) -> str:
    return "" if interval is None else f"{interval[0]:.3f}–{interval[1]:.3f}"


def _write_table(scores: dict[str, Any], path: str) -> None:
    """A row for each object of each case."""
    import pandas as pd

    from napari_segment import api

    tables = {name: score.per_object for name, score in scores.items()}
    without = [name for name, table in tables.items() if table is None]
    if without:
        raise InputError(f"{without[0]} holds no objects, so there is no table of them.")
    whole = pd.concat(tables, names=["case"]).reset_index(level="case")
    api.write(whole, path)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _score(result: Path, reference: Path, options: argparse.Namespace) -> Any:
    from napari_segment import api
    from napari_segment.io import read_labels

    axes = options.axes.upper()
    labels = read_labels(result, axes=axes)
    if options.holds != "auto":
        labels = labels.replace(holds=options.holds)
    truth = api.as_labels(reference, axes, ignore_index=options.ignore_index)
    truth = truth.replace(holds=labels.holds)
    return api.compare(labels, truth, surface=options.surface, ignore_index=options.ignore_index)


def _cases(result: Path, reference: Path, recursive: bool) -> dict[str, tuple[Path, Path]]:
    """Pair results with references; every result must have one."""
    for path in (result, reference):
        if not path.exists():
            raise FormatError(f"There is no file or folder {path}.")
    if is_image(result):
        return {result.name: (result, reference)}
    if is_image(reference):
        raise InputError(f"{result} is a folder, so {reference} must be a folder of equal names.")
    references, results = (_by_stem(folder, recursive) for folder in (reference, result))
    results = {n: p for n, p in results.items() if n in references or not _is_map(n, results)}
    missing = [name for name in results if name not in references]
    if missing:
        raise InputError(
            f"{counted(len(missing), 'result')} without a reference in {reference}: {missing[0]}…"
        )
    if not results:
        hint = "" if recursive else " For those in folders below, add --recursive."
        raise InputError(f"The folder {result} holds no labels that can be read.{hint}")
    return {name: (path, references[name]) for name, path in results.items()}


def _by_stem(folder: Path, recursive: bool) -> dict[str, Path]:
    """The images of a folder by their names without suffix, below that folder."""
    from napari_segment import io

    images = io.images_in(folder, recursive=recursive)
    return {(p.parent.relative_to(folder) / io.stem(p)).as_posix(): p for p in images}


def _is_map(name: str, results: Container[str]) -> bool:
    """Whether a file is a map of probabilities or the like that lies next to a result."""
    return name.rpartition(".")[0] in results
