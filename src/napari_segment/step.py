"""Step: what long work yields, and how to run such work to its end."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Step:
    """One sign of life of long work.

    Parameters
    ----------
    done, total : int
        Units of work finished, and all of them; ``total`` is 0 while unknown.
    message : str
        One short sentence for a person, or "".
    numbers : mapping of str to float
        What can be drawn as a curve, such as losses and scores.
    preview : mapping of str to array, optional
        Small pictures (2-D arrays) by name; most steps carry none.
    """

    done: int
    total: int = 0
    message: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    preview: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class FileStep(Step):
    """A Step of work on many files at which one of them is finished.

    Parameters
    ----------
    row : mapping
        What became of it, in plain values: ``input``, ``output``, ``status`` ("done", "failed" or
        "skipped"), ``error``, and what the work says of it.
    """

    row: Mapping[str, Any] = field(default_factory=dict)


def run(steps: Generator[Step, None, T]) -> T:
    """Run long work to its end in this thread, without showing its steps.

    Parameters
    ----------
    steps : generator of Step
        The work. Closing the generator cancels it.

    Returns
    -------
    object
        What the generator returned.
    """
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
