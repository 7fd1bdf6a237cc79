"""Time our call and the calls a user would otherwise make, in turns, in one process."""

from __future__ import annotations

import ctypes
import gc
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

PATIENCE = 20.0  # seconds for one contender, after which it is not called again


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Parameters
    ----------
    work : str
        What is done, to what.
    make : callable
        Makes the data: a tuple of arrays, the arguments of all calls.
    ours : callable
        Our call.
    theirs : mapping of str to callable
        Names and calls of the others; the fastest counts.
    target : float
        The least ratio that is aimed at.
    check : callable, optional
        From our result and a mapping of theirs to a few words for the table ("same mask"); raises
        AssertionError where ours is wrong.
    rounds : int
        How often each is called; the least time counts.
    doubtful : sequence of str
        Names of others that may not end in reasonable time.
    unended : mapping of str to float
        Of these, the ones that had not ended after so many seconds (NaN: that failed).
    """

    work: str
    make: Callable[[], tuple[Any, ...]]
    ours: Callable[..., Any]
    theirs: Mapping[str, Callable[..., Any]]
    target: float
    check: Callable[[Any, Mapping[str, Any]], str] | None = None
    rounds: int = 5
    doubtful: Sequence[str] = ()
    unended: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Timing:
    """What one row took: seconds, and bytes beyond input and output per byte of input."""

    row: Row
    first: float
    ours: float
    theirs: Mapping[str, float]
    memory: float
    note: str

    @property
    def ratio(self) -> float:
        others = [*self.theirs.values(), *self.row.unended.values()]
        return min((t for t in others if t == t), default=float("nan")) / self.ours  # not NaN


def measure(row: Row) -> Timing:
    """Run one row: first call, memory, results, and then the calls in turns."""
    data = row.make()
    first = _seconds(lambda: row.ours(*data))
    memory, result = peak(lambda: row.ours(*data))
    calls = {"": row.ours, **row.theirs}
    taken: dict[str, list[float]] = {name: [] for name in calls}
    results = {}
    for name, call in row.theirs.items():
        start = time.perf_counter()
        results[name] = call(*data)
        taken[name].append(time.perf_counter() - start)
    note = row.check(result, results) if row.check and results else ""
    notes = [note, *(f"{name} not in {s:g} s" for name, s in row.unended.items())]
    note = "; ".join(filter(None, notes))
    del result, results
    for _ in range(row.rounds):
        for name, call in calls.items():
            if sum(taken[name]) < PATIENCE:
                taken[name].append(_seconds(lambda call=call: call(*data)))
    least = {name: min(times) for name, times in taken.items()}
    size = sum(array.nbytes for array in data)
    return Timing(row, first, least.pop(""), least, memory / size, note)


def table(rows: Iterable[Row]) -> None:
    """Measure rows and print them as a Markdown table, each as soon as it is there."""
    print("| work | ours | against | theirs | ratio | aim | memory | first call | result |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        t = measure(row)
        name, other = min((t.theirs or row.unended).items(), key=lambda pair: pair[1])
        more = "" if t.theirs else "> "
        print(
            f"| {row.work} | {_spoken(t.ours)} | {name} | {more}{_spoken(other)} "
            f"| **{more}{t.ratio:,.1f}×** "
            f"| {row.target:,g}× | {t.memory:.2f}× | {_spoken(t.first)} | {t.note} |",
            flush=True,
        )
        gc.collect()


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def peak(call: Callable[[], Any]) -> tuple[float, Any]:
    """Greatest resident memory during a call, beyond what was there before and its result."""
    gc.collect()
    try:
        ctypes.CDLL(None).malloc_trim(0)  # glibc: give back what was freed, so that it counts anew
        Path("/proc/self/clear_refs").write_text("5")  # Linux: forget the greatest size so far
    except (AttributeError, OSError):
        return float("nan"), call()
    before = _resident("VmRSS")
    result = call()
    return max(_resident("VmHWM") - before - np.asarray(result).nbytes, 0), result


def _resident(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def _spoken(seconds: float) -> str:
    if seconds >= 10:
        return f"{seconds:,.1f} s"
    return f"{1e3 * seconds:,.0f} ms" if seconds >= 0.01 else f"{1e3 * seconds:.1f} ms"
