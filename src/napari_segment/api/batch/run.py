"""The same work on many files: what is skipped, what fails, and the report of all."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from napari_segment.api.batch.processes import in_processes
from napari_segment.api.batch.report import STOPPED, Report, Row, Task, Work, attempt, report_path
from napari_segment.errors import SettingError, message_of
from napari_segment.io.replacing import recover_once
from napari_segment.step import FileStep, Step


@dataclass(frozen=True)
class Batch:
    """How several files are worked on, whatever is done to them.

    Parameters
    ----------
    recursive : bool
        Whether the images in the folders below a folder are taken too.
    skip_existing : bool
        Whether no result is made again that exists; so a run that was ended goes on.
    workers : int
        Processes that each work on one file at a time. One that the system ends fails its file
        alone. 0 works in this process.
    report : str or Path
        A JSON file with a row for each input; "" for none.
    strict : bool
        Whether the first file that fails ends the work with its error, as the failure of a single
        file does in any case; then it is done in this process.
    """

    recursive: bool = False
    skip_existing: bool = False
    workers: int = 0
    report: str | Path = ""
    strict: bool = False

    def __post_init__(self) -> None:
        if self.workers < 0:
            raise SettingError(
                f"Cannot work in {self.workers} processes: give workers=0 (this process) or more."
            )


def run_files_steps(
    inputs: Sequence[Path],
    targets: Sequence[Path],
    work: Work,
    batch: Batch,
    *,
    is_done: Callable[[Path, Path], bool] = lambda path, target: target.exists(),  # noqa: ARG005
    take: Callable[[Path, Row], None] = lambda path, row: None,  # noqa: ARG005
) -> Generator[Step, None, list[Row]]:
    """Do the same to several files; those that fail do not end the work on the others.

    Parameters
    ----------
    inputs, targets : sequence of Path
        From where to where.
    work : callable
        Does it to one file: a generator of Steps that returns its row of the report. With
        processes it is pickled.
    batch : Batch
        How.
    is_done : callable
        Whether the result of a file is complete, and not made again with ``skip_existing``.
    take : callable
        Takes what is no part of a report out of the row of a file that is done, in this process.

    Yields
    ------
    Step
        Of the work on a file; a `FileStep` when a file is finished.

    Returns
    -------
    list of dict
        A row for each file, in the order of the inputs.
    """
    path = report_path(batch.report, inputs, targets)
    tasks: list[Task] = []
    with Report(path, len(inputs)) as report:
        for task in map(Task, range(len(inputs)), inputs, targets):
            if batch.skip_existing and _is_done(task, is_done):
                yield report.add(task, task.row("skipped"))
            else:
                tasks.append(task)
        if batch.workers and not batch.strict:
            for task, row in in_processes(tasks, work, batch.workers):
                yield _finished(report, task, row, take)
        else:
            strict = batch.strict or len(inputs) == 1
            yield from _one_by_one(tasks, work, report, take, strict)
    return report.rows


def _is_done(task: Task, is_done: Callable[[Path, Path], bool]) -> bool:
    """Whether a result is complete, once what a killed process was writing is put in order."""
    recover_once(task.target.parent.absolute())
    return is_done(task.path, task.target)


def _one_by_one(
    tasks: Sequence[Task],
    work: Work,
    report: Report,
    take: Callable[[Path, Row], None],
    strict: bool,
) -> Generator[Step, None, None]:
    for task in tasks:
        row = task.row("failed", STOPPED)
        try:
            for step in attempt(task, work, row, strict=strict):
                yield _within(step, task, report)
        except BaseException:
            report.add(task, row)
            raise
        yield _finished(report, task, row, take, strict=strict)


def _within(step: Step, task: Task, report: Report) -> Step:
    """A Step of the work on one file, as one of the work on all."""
    if report.total == 1:
        return step
    part = f", {step.done} of {step.total}" if step.total else ""
    message = f"{task.path.name}{part}{step.message and ': '}{step.message}"
    return replace(step, done=report.done, total=report.total, message=message)


def _finished(
    report: Report,
    task: Task,
    row: Row,
    take: Callable[[Path, Row], None],
    *,
    strict: bool = False,
) -> FileStep:
    if row["status"] == "done":
        try:
            take(task.path, row)
        except Exception as error:
            row |= {"status": "failed", "error": message_of(error)}
            if strict:
                report.add(task, row)
                raise
    return report.add(task, row)
