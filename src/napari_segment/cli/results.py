"""``measure`` and ``compare``: tables and scores of labels."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_segment.api.batch.paths import is_image, is_map, table_path
from napari_segment.cli.batch import Row, batch_of, each_of, reading_of
from napari_segment.cli.messages import complain, counted, in_columns, message_of
from napari_segment.errors import FormatError, InputError

FOLLOWING = ("segmentation_quality", "recognition_quality")  # of f1 and panoptic_quality


def measure(options: argparse.Namespace) -> int:
    """Measure the objects of one or several files into one CSV table."""
    from napari_segment import api

    measured: list[Row] = []

    def line(row: Row) -> str:
        measured.append(row)
        return ""

    properties = [name.strip() for name in options.properties.split(",")]
    steps = api.measure_files_steps(
        options.labels, options.output, images=options.image or "", properties=properties,
        reading=reading_of(options), batch=batch_of(options),
    )  # fmt: skip
    status = each_of(steps, options, line)
    if measured and not options.json:
        rows = counted(sum(row["rows"] for row in measured), "row")
        files = f" of {counted(len(measured), 'file')}"
        alone = [row["input"] for row in measured] == options.labels
        print(f"{rows}{'' if alone else files} → {options.output}")
    return status


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
    results = {n: p for n, p in results.items() if n in references or not is_map(n, results)}
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
