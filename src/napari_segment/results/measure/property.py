"""What a property is, and which ones are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from numpy.typing import NDArray

from napari_segment.errors import UnknownNameError
from napari_segment.results.measure.sums import Sums

Array = NDArray[Any]
Group: TypeAlias = Literal["basic", "shape", "intensity", "texture", "detail"]
Unit: TypeAlias = Literal["", "voxel", "length", "surface", "size", "intensity", "degree"]

GROUPS = ("basic", "shape", "intensity", "texture", "detail")


@dataclass(frozen=True)
class Property:
    """One property of every label.

    Parameters
    ----------
    name : str
        What it is asked for by.
    group : str
        Which set it belongs to.
    unit : str
        What its unit is made of.
    compute : callable
        From the sums to one column (N,) or several (N, K).
    parts : tuple of str
        What is appended to the name for several columns; what starts with "axis" for each axis.
    image : bool
        Whether it looks at intensities.
    names : tuple of str
        Of the column in 2-D and in 3-D, where they differ from the name.
    """

    name: str
    group: Group
    unit: Unit
    compute: Callable[[Sums], Array]
    parts: tuple[str, ...] = ()
    image: bool = False
    names: tuple[str, str] = ("", "")

    def columns(self, axes: str) -> list[str]:
        """Return the column names for the axes "YX" or "ZYX"."""
        name = self.names[len(axes) - 2] or self.name
        parts = self.parts
        if parts and parts[0].startswith("axis"):
            parts = tuple(part.replace("axis", a.lower()) for a in axes for part in parts)
        return [f"{name}_{part}" for part in parts] or [name]


PROPERTIES: dict[str, Property] = {}


def add(
    group: Group,
    unit: Unit = "",
    *,
    parts: tuple[str, ...] = (),
    image: bool = False,
    names: tuple[str, str] = ("", ""),
) -> Callable[[Callable[[Sums], Array]], Callable[[Sums], Array]]:
    """Register a function of the sums under its own name (decorator); see `Property`."""

    def register(function: Callable[[Sums], Array]) -> Callable[[Sums], Array]:
        name = function.__name__
        PROPERTIES[name] = Property(name, group, unit, function, parts, image, names)
        return function

    return register


def chosen(asked: str | Sequence[str], *, image: bool) -> list[Property]:
    """Return the properties that names and groups stand for, in the order of their definition.

    Parameters
    ----------
    asked : str or sequence of str
        Names of properties, of their columns ("volume" for "size") and of groups; "all" for
        everything.
    image : bool
        Whether there is an image; groups leave out what needs one otherwise.
    """
    columns = {c: p.name for p in PROPERTIES.values() for a in ("YX", "ZYX") for c in p.columns(a)}
    asked = [asked] if isinstance(asked, str) else list(asked)
    asked = [name if name in PROPERTIES else columns.get(name, name) for name in asked]
    unknown = [name for name in asked if name not in (*PROPERTIES, *GROUPS, "all")]
    if unknown:
        raise UnknownNameError("property", unknown[0], [*PROPERTIES, *GROUPS, "all"])
    return [
        p
        for p in PROPERTIES.values()
        if p.name in asked or ((p.group in asked or "all" in asked) and (image or not p.image))
    ]


def units(properties: Iterable[Property], axes: str, unit: str) -> dict[str, str]:
    """Return the unit of each column, for a unit of length."""
    powers = {"length": 1, "surface": len(axes) - 1, "size": len(axes)}
    result: dict[str, str] = {}
    for p in properties:
        power = powers.get(p.unit, 0)
        text = unit if power == 1 else f"{unit}^{power}" if power else p.unit
        result |= dict.fromkeys(p.columns(axes), text)
    return result
