"""Passes over lazy arrays, for what must be known before a result can be described."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, TypeAlias
from uuid import uuid4

Key: TypeAlias = "str | tuple[str | int, ...]"  # of a task of Dask


def computed(parts: Sequence[Any]) -> list[Any]:
    """Compute delayed values together, on the scheduler that Dask would take.

    On a cluster the tasks have names of their own. Dask fuses tasks otherwise in each pass over an
    array and keeps their names, and a scheduler that still holds those of the pass before may wait
    for them forever (https://github.com/dask/dask/issues/9888).

    Parameters
    ----------
    parts : sequence of Delayed
        What is wanted.

    Returns
    -------
    list
        Their values.
    """
    import dask

    if not _on_cluster():
        return list(dask.compute(*parts))
    from dask._task_spec import convert_legacy_graph
    from dask.delayed import Delayed

    (whole,) = dask.optimize(dask.delayed(list)(list(parts)))
    tasks = convert_legacy_graph(dict(whole.__dask_graph__()))
    token = uuid4().hex
    names = {key: _renamed(key, token) for key in tasks}
    apart = {names[key]: task.substitute(names, key=names[key]) for key, task in tasks.items()}
    values: list[Any] = Delayed(names[whole.key], apart).compute(optimize_graph=False)
    return values


def _renamed(key: Key, token: str) -> Key:
    return (f"{key[0]}-{token}", *key[1:]) if isinstance(key, tuple) else f"{key}-{token}"


def _on_cluster() -> bool:
    """Whether Dask would take a ``dask.distributed`` client."""
    if "distributed" not in sys.modules:
        return False
    from distributed import default_client

    try:
        default_client()
    except ValueError:
        return False
    return True
