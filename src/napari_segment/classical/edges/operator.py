"""Declare an edge operator once: a filter that gives its response, a method that gives a mask."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from napari_segment.arrays import Array
from napari_segment.blocks import map_blocks
from napari_segment.classical.edges.marking import Percentile, Threshold, Value, marked
from napari_segment.classical.edges.stencil import zero_crossings
from napari_segment.registry import filters, methods

Strength: TypeAlias = Callable[[Array, Sequence[float], Mapping[str, Any]], Array]

STRENGTHS: dict[str, Strength] = {}  # of the operators, by name

F = TypeVar("F", bound=Callable[..., Any])

_OF_THE_MASK = ("threshold", "percentile", "value")
_RETURNS = "\n\nReturns\n-------\n"

_RESULT = """

Returns
-------
array of bool
    True on edges; never where the strength is NaN or infinite."""


def operator(
    name: str,
    *,
    title: str,
    group: str,
    marks: str,
    crossings: bool = False,
) -> Callable[[F], F]:
    """Decorator: register a function as a filter, and thresholded as the method of that name.

    Parameters
    ----------
    name, title, group : str
        Of both entries.
    marks : str
        One sentence on what the method marks, the first of its help.
    crossings : bool
        Whether edges are where the response passes through zero, and their strength how steeply
        it does. Otherwise the strength is the absolute response.
    """

    def register(function: F) -> F:
        filters.add(name, title=title, group=group)(function)
        STRENGTHS[name] = partial(_strength, function, crossings=crossings)
        method = _method(function, crossings, marks)
        methods.add(name, title=title, gives="mask", group=group)(method)
        return function

    return register


def _strength(
    function: Callable[..., Any],
    image: Array,
    spacing: Sequence[float],
    settings: Mapping[str, Any],
    *,
    crossings: bool,
) -> Array:
    """What the mask is taken from: the absolute response, or how steeply it crosses zero."""
    own = {name: value for name, value in settings.items() if name not in _OF_THE_MASK}
    response = function(image, spacing, **own)
    if crossings:
        response = zero_crossings(response, spacing)
    elif settings.get("response", "magnitude") != "magnitude":
        response = abs(response)
    return map_blocks(_known, response, dtype=response.dtype)


def _known(block: NDArray[Any]) -> NDArray[Any]:
    """A strength; NaN where it is infinite."""
    infinite = np.isinf(block)
    return np.where(infinite, block.dtype.type(np.nan), block) if infinite.any() else block


def _method(function: Callable[..., Any], crossings: bool, marks: str) -> Callable[..., Any]:
    """The mask of an operator, with its settings and those of the threshold."""

    def mask(
        image: Array,
        spacing: Sequence[float] = (),
        *,
        threshold: Threshold = "otsu",
        percentile: Percentile = 90.0,
        value: Value = 0.0,
        **settings: Any,
    ) -> Array:
        strength = _strength(function, image, spacing, settings, crossings=crossings)
        return marked(strength, threshold, percentile, value)

    for attribute in ("__module__", "__name__", "__qualname__"):
        setattr(mask, attribute, getattr(function, attribute))
    own = inspect.signature(mask, eval_str=True).parameters
    added = [own[n] for n in _OF_THE_MASK]
    signature = inspect.signature(function, eval_str=True)
    parameters = [*signature.parameters.values(), *added]
    mask.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    mask.__doc__ = _documented(inspect.getdoc(function) or "", marks)
    return mask


def _documented(doc: str, marks: str) -> str:
    head, _, rest = doc.partition(_RETURNS)
    _, _, parameters = head.partition("\n\n")
    references = rest.partition("\n\nReferences")
    return f"{marks}\n\n{parameters}{_RESULT}{references[1]}{references[2]}"
