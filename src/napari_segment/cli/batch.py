"""The same work on many files: what is skipped, what fails, and the report of all."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_segment.blocks.memory import peak_memory, reset_peak_memory
from napari_segment.cli.cluster import cluster
from napari_segment.cli.messages import complain, message_of
from napari_segment.cli.paths import protect
from napari_segment.errors import SettingError

SAVE_EVERY = 5.0  # seconds between two writes of a report

Row = dict[str, Any]


def each_of(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    options: argparse.Namespace,
    work: Callable[[Path, Path], Row],
    is_done: Callable[[Path, Path], bool] = lambda path, target: target.exists(),  # noqa: ARG005
) -> int:
    """Do the same to several files; of several, those that fail are named and counted.

    Parameters
    ----------
    inputs, targets : sequence of Path
        From where to where.
    options : Namespace
        Of the command: ``report``, ``skip_existing``, ``scheduler``, ``json``, ``debug``.
    work : callable
        Does it to one file, and gives its row of the report.
    is_done : callable
        Whether the result of a file is complete, and not made again with ``--skip-existing``.

    Returns
    -------
    int
        The exit status: 1 if any file failed.
    """
    report = make_report(options, inputs, targets)
    with cluster(options.scheduler), report:
        for path, target in zip(inputs, targets, strict=True):
            if options.skip_existing and is_done(path, target):
                report.skip(path, target)
            else:
                report.run(path, target, work)
    if options.json:
        print(json.dumps([row for row in report.rows if row["status"] == "done"], indent=2))
    return report.status()


def make_report(
    options: argparse.Namespace, inputs: Sequence[Path], targets: Sequence[Path]
) -> Report:
    """The report that the options ask for, which is none of the files that are read or written."""
    alone = options.debug or len(inputs) == 1
    if not options.report:
        return Report(None, strict=alone)
    path = Path(options.report)
    if path.suffix.lower() != ".json":
        raise SettingError(f"Cannot write a report to {options.report!r}: end it with .json.")
    protect(inputs, [path])
    protect(targets, [path], "output")
    return Report(path, strict=alone)


class Report:
    """What became of each file; written every few seconds, and when the work ends in any way.

    Parameters
    ----------
    path : Path, optional
        A JSON file.
    strict : bool
        Whether the first failure ends the work.
    """

    def __init__(self, path: Path | None, *, strict: bool) -> None:
        self.path, self.strict = path, strict
        self.rows: list[Row] = []
        self._saved = time.monotonic()

    def run(self, path: Path, target: Path, work: Callable[[Path, Path], Row]) -> None:
        """Do the work on one file, and record how it went."""
        started = time.perf_counter()
        reset_peak_memory()
        row: Row = {"input": str(path), "output": str(target), "status": "failed", "error": None}
        try:
            row |= {**work(path, target), "status": "done"}
        except BrokenPipeError:
            raise
        except Exception as error:  # one bad file does not end the work on the others
            row["error"] = message_of(error)
            if self.strict:
                raise
            complain(f"{path}: {row['error']}")
        finally:
            row["seconds"] = round(time.perf_counter() - started, 3)
            row["peak_memory"] = peak_memory()
            self._add(row)

    def skip(self, path: Path, target: Path) -> None:
        """Record that the result of a file exists."""
        self._add({"input": str(path), "output": str(target), "status": "skipped", "error": None})

    def status(self) -> int:
        """Say how many files failed or were skipped; the exit status."""
        skipped, failed = (self._count(status) for status in ("skipped", "failed"))
        if skipped:
            print(f"{skipped} of {len(self.rows)} inputs skipped: results exist.", file=sys.stderr)
        if failed:
            print(f"{failed} of {len(self.rows)} inputs failed.", file=sys.stderr)
        return 1 if failed else 0

    def _count(self, status: str) -> int:
        return sum(row["status"] == status for row in self.rows)

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        if time.monotonic() - self._saved > SAVE_EVERY:
            self._save()

    def _save(self) -> None:
        self._saved = time.monotonic()
        if self.path is None:
            return
        from napari_segment.io.replacing import placing

        with placing(self.path) as unfinished:
            unfinished.write_text(json.dumps(self.rows, indent=2), "utf-8")

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *error: object) -> None:
        self._save()
