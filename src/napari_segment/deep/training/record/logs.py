"""Write the numbers of a training to logs, besides ``curves.csv``.

An entry is a function ``(folder, *, settings) -> log``. It is called when a training begins, with
the run folder; the log it returns is called with every `Step`, whose ``numbers`` hold the loss and
the learning rate after an update, and ``epoch`` and the scores after an epoch. A log with a
``close`` is closed at the end. What goes wrong in a log never ends a training.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias, TypeVar

from napari_segment.recipe import Spec
from napari_segment.registry import logs
from napari_segment.step import Step

Log: TypeAlias = Callable[[Step], object]
T = TypeVar("T")


@logs.add("tensorboard", title="TensorBoard", group="log")
def tensorboard(folder: Path) -> Log:
    """Write the numbers of each epoch as TensorBoard events into the run folder.

    Parameters
    ----------
    folder : Path
        The run folder.

    Returns
    -------
    callable
        Takes a `Step`.
    """
    from napari_segment.deep.training.record.tensorboard_events import append

    def log(step: Step) -> None:
        if "epoch" in step.numbers:
            append(folder / "events.out.tfevents.0.run", int(step.numbers["epoch"]), step.numbers)

    return log


def logged(
    steps: Generator[Step, None, T], folder: Path, chosen: Iterable[Spec]
) -> Generator[Step, None, T]:
    """Pass the Steps of long work to logs as well; one that fails is left out, and says so.

    Parameters
    ----------
    steps : generator of Step
        The work.
    folder : Path
        The run folder.
    chosen : iterable of Spec
        The logs.
    """
    open_logs = [(spec.name, logs[spec.name](folder, **spec.settings)) for spec in chosen]
    try:
        while True:
            try:
                step = next(steps)
            except StopIteration as stop:
                result: T = stop.value
                return result
            broken = _tell(open_logs, step)
            yield step
            yield from (Step(step.done, step.total, message) for message in broken)
    finally:
        steps.close()
        for _, log in open_logs:
            with suppress(Exception):
                getattr(log, "close", lambda: None)()


def _tell(open_logs: list[tuple[str, Log]], step: Step) -> list[str]:
    """Tell all logs; those that fail are taken out of the list."""
    broken = []
    for name, log in list(open_logs):
        try:
            log(step)
        except Exception as error:  # whatever a third party's log may raise
            open_logs.remove((name, log))
            broken.append(f"the log {name!r} failed and is left out: {error}")
    return broken
