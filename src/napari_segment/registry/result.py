"""Result: what a method gives besides its labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, eq=False)
class Result:
    """What a method returns when only the run can tell what its labels hold (a network).

    Parameters
    ----------
    array : ndarray or dask Array
        The labels.
    holds : {"mask", "classes", "objects"}
        What a number means.
    names : mapping of int to str
        Class names by number.
    """

    array: Any
    holds: str
    names: Mapping[int, str] = field(default_factory=dict)
