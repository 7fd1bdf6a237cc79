"""Splitting of stacks into planes or volumes, and the calls of an entry on each of them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from napari_segment.engine.estimate import memory_said, supervised
from napari_segment.errors import InputError
from napari_segment.image import Stack
from napari_segment.registry import Entry
from napari_segment.step import Step

Arrays = Mapping[str, Any]


def bind(
    entry: Entry, settings: dict[str, Any], fixed: Mapping[str, Any]
) -> Callable[[Arrays], Any]:
    """A call of the entry's function with its data parameters by name."""
    required = [
        p.name
        for p in entry.parameters
        if p.kind is not p.KEYWORD_ONLY and p.default is inspect.Parameter.empty
    ]

    def call(arrays: Arrays) -> Any:
        given = {**fixed, **arrays}
        missing = [name for name in required if name not in given]
        if missing:
            raise InputError(f"{entry.name!r} also needs {missing[0]}: give {missing[0]}=….")
        return entry.function(**{n: given[n] for n in entry.data if n in given}, **settings)

    return call


def call_parts(
    lead: str, stacks: Mapping[str, Stack], call: Callable[[Arrays], Any], title: str
) -> Generator[Step, None, list[Any]]:
    """Call on each part; forward the Steps of long work. The results in order."""
    first = next(iter(stacks.values()))
    spatial = sum(axis not in lead for axis in first.spatial_axes)
    results = []
    for name, parts in split(lead, stacks):
        with memory_said(title, parts):
            result = yield from with_prefix(supervised(title, call, parts, spatial), name)
            if inspect.isgenerator(result):
                result = yield from with_prefix(result, name)
        results.append(result)
        if name:
            yield Step(len(results), _count(lead, stacks), name)
    return results


def with_prefix(steps: Generator[Any, Any, Any], name: str) -> Generator[Step, None, Any]:
    """Forward Steps with a name before their messages."""
    while True:
        try:
            step = next(steps)
        except StopIteration as stop:
            return stop.value
        message = f"{name}: {step.message}" if name and step.message else name or step.message
        yield replace(step, message=message)


def positions(lead: str, stack: Stack) -> list[dict[str, int]]:
    """Where each part stands along the leading axes, in the order of `split`."""
    indices = np.ndindex(*(stack.size(a) for a in lead))
    return [dict(zip(lead, index, strict=True)) for index in indices]


def _count(lead: str, stacks: Mapping[str, Stack]) -> int:
    first = next(iter(stacks.values()))
    return int(np.prod([first.size(a) for a in lead]))


def split(lead: str, stacks: Mapping[str, Stack]) -> Generator[tuple[str, Arrays], None, None]:
    """Cut stacks along the leading axes: a name such as "T 0, Z 3", and the arrays."""
    first = next(iter(stacks.values()))
    for axis in lead:
        if not first.size(axis):
            raise InputError(
                f"There is nothing to work on: the stack (axes {first.axes}, shape {first.shape}) "
                f"has no position along {axis}."
            )
    ordered = {
        name: stack.transpose(
            "".join(a for a in lead if a in stack.axes)
            + "".join(a for a in stack.axes if a not in lead)
        )
        for name, stack in stacks.items()
    }
    for where in positions(lead, first):
        name = ", ".join(f"{axis} {i}" for axis, i in where.items())
        yield (
            name,
            {
                key: stack.data[tuple(where[a] for a in lead if a in stack.axes)]
                for key, stack in ordered.items()
            },
        )
