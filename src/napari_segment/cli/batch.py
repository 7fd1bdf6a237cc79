"""Batches on the command line: what the options say, and what is printed of each file."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Generator
from typing import Any

from napari_segment.api.batch import Batch, Reading
from napari_segment.cli.cluster import cluster
from napari_segment.cli.messages import complain
from napari_segment.cli.progress import show
from napari_segment.errors import SettingError
from napari_segment.step import FileStep, Step

Row = dict[str, Any]


def batch_of(options: argparse.Namespace) -> Batch:
    """How several files are worked on."""
    if options.workers and options.scheduler:
        raise SettingError("Give either --workers, processes here, or --scheduler, not both.")
    strict = options.debug
    chosen = options.recursive, options.skip_existing, options.workers, options.report, strict
    return Batch(*chosen)


def reading_of(options: argparse.Namespace) -> Reading:
    """How files are read."""
    return Reading(
        axes=options.axes,
        series=options.series,
        incomplete=options.incomplete,
        spacing=_numbers(options.spacing) if options.spacing else (),
        unit=options.unit,
        lazy=options.lazy or bool(options.scheduler),
        holds=getattr(options, "holds", "objects"),
    )


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise SettingError(f"Cannot read {text!r} as numbers: write such as 2,0.5,0.5.") from None


def each_of(
    steps: Generator[Step, None, list[Row]],
    options: argparse.Namespace,
    line: Callable[[Row], str] = lambda row: f"{row['input']} → {row['output']} ({row['summary']})",
) -> int:
    """Work on several files; those that fail are named and counted.

    Parameters
    ----------
    steps : generator of Step
        The work.
    options : Namespace
        Of the command: ``scheduler``, ``json``.
    line : callable
        What is printed of a file that is done; "" for nothing.

    Returns
    -------
    int
        The exit status: 1 if any file failed.
    """
    rows = show_rows(steps, options, line)
    if options.json:
        print(json.dumps([row for row in rows if row["status"] == "done"], indent=2))
    return status_of(rows)


def show_rows(
    steps: Generator[Step, None, list[Row]],
    options: argparse.Namespace,
    line: Callable[[Row], str] = lambda row: "",  # noqa: ARG005
) -> list[Row]:
    """Work on several files and say which fail; the parameters are those of `each_of`."""

    def said(step: Step) -> None:
        if not isinstance(step, FileStep):
            return
        if step.row["status"] == "failed":
            complain(f"{step.row['input']}: {step.row['error']}")
        elif step.row["status"] == "done" and not options.json and (text := line(dict(step.row))):
            print(text)

    with cluster(options.scheduler):
        rows: list[Row] = show(steps, options.command, each=said)
    return rows


def status_of(rows: list[Row]) -> int:
    """Say how many files failed or were skipped; the exit status."""
    skipped, failed = (sum(row["status"] == s for row in rows) for s in ("skipped", "failed"))
    if skipped:
        print(f"{skipped} of {len(rows)} inputs skipped: results exist.", file=sys.stderr)
    if failed:
        print(f"{failed} of {len(rows)} inputs failed.", file=sys.stderr)
    return 1 if failed else 0
