"""``measure`` and ``compare``: tables and scores of labels."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_segment.cli.messages import complain, counted, in_columns
from napari_segment.cli.paths import is_image, table_path
from napari_segment.cli.segment import cluster, read_input, read_labels_input
from napari_segment.errors import FormatError, InputError, SegmentError

FOLLOWING = ("segmentation_quality", "recognition_quality")  # of f1 and panoptic_quality


def measure(options: argparse.Namespace) -> int:
    """Measure the objects of a file into a CSV table."""
    from napari_segment import api
    from napari_segment.results.measure import with_units

    target = table_path(options.output, filter(None, (options.labels, options.image)))
    asked = [name.strip() for name in options.properties.split(",")]
    with cluster(options.scheduler):
        labels = read_labels_input(options, options.labels)
        image = read_input(options, options.image) if options.image else None
        table = api.measure(labels, image, properties=asked)
    path = api.write(with_units(table), target)
    print(f"{counted(len(table), 'row')} → {path}")
    return 0


def compare(options: argparse.Namespace) -> int:
    """Score a file or a folder against references of equal names."""
    from napari_segment.results.compare import aggregate

    cases = _cases(Path(options.result), Path(options.reference))
    if options.table:
        table_path(options.table, (path for pair in cases.values() for path in pair))
    scores: dict[str, Any] = {}
    failures = 0
    for name, (result, reference) in cases.items():
        try:
            scores[name] = _score(result, reference, options)
        except SegmentError as error:
            if options.debug or len(cases) == 1:
                raise
            failures += 1
            complain(f"{name}: {error}")
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

    labels = read_labels(result)
    if options.holds != "auto":
        labels = labels.replace(holds=options.holds)
    truth = read_labels(reference).replace(holds=labels.holds)
    return api.compare(labels, truth, surface=options.surface)


def _cases(result: Path, reference: Path) -> dict[str, tuple[Path, Path]]:
    """Pair results with references; every result must have one."""
    from napari_segment import io

    for path in (result, reference):
        if not path.exists():
            raise FormatError(f"There is no file or folder {path}.")
    if is_image(result):
        return {result.name: (result, reference)}
    if is_image(reference):
        raise InputError(f"{result} is a folder, so {reference} must be a folder of equal names.")
    references = {io.stem(path): path for path in io.images_in(reference)}
    results = {io.stem(path): path for path in io.images_in(result)}
    results = {n: p for n, p in results.items() if n in references or not io.is_map(p, results)}
    missing = [name for name in results if name not in references]
    if missing:
        raise InputError(
            f"{counted(len(missing), 'result')} without a reference in {reference}: {missing[0]}…"
        )
    if not results:
        raise InputError(f"The folder {result} holds no labels that can be read.")
    return {name: (path, references[name]) for name, path in results.items()}
