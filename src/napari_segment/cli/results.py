"""``measure`` and ``compare``: tables and scores of labels."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from napari_segment.api.batch.object_verbs import cases_of, compare_files_steps
from napari_segment.api.batch.object_work import Comparing
from napari_segment.api.batch.paths import table_path
from napari_segment.cli.batch import Row, batch_of, each_of, reading_of, show_rows, status_of
from napari_segment.cli.messages import counted, in_columns
from napari_segment.errors import InputError

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

    paths = (Path(options.result), Path(options.reference))
    if options.table:
        cases = cases_of(*paths, options.recursive)
        table_path(options.table, (path for pair in cases.values() for path in pair))
    scores: dict[str, Any] = {}
    work = Comparing(options.axes, options.holds, options.surface, options.ignore_index)
    steps = compare_files_steps(
        *paths, work, scores=scores, errors=options.errors or "", batch=batch_of(options)
    )
    rows = show_rows(steps, options)
    if options.table:
        _write_table(scores, options.table)
    if options.json:
        listed: dict[str, Any] = {name: score.to_dict() for name, score in scores.items()}
        print(json.dumps({**aggregate(scores.values()).to_dict(), "cases": listed}, indent=2))
    elif scores:
        _print(scores)
    return status_of(rows)


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
