"""Which axes an entry is called over: what one call gets, a plane, a volume or all time points."""

from __future__ import annotations

import numpy as np

from napari_segment.errors import InputError
from napari_segment.image import Stack, orientation_of
from napari_segment.recipe import ApplyTo
from napari_segment.registry import Entry


def leading_axes(entry: Entry, stack: Stack, apply_to: ApplyTo) -> str:
    """The axes over which the entry is called again and again."""
    lead = "T" if "T" in stack.axes else ""
    if apply_to == "stack" and entry.pointwise:
        return ""
    if apply_to == "stack" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} looks at neighbours, so it cannot take all time points together. "
            "Use apply_to='volume' or apply_to='plane'."
        )
    if "Z" not in stack.axes:
        return _check_planes(entry, lead)
    if apply_to == "plane" and not joins_planes(entry):
        return _check_planes(entry, lead + "Z")
    if 3 in entry.ndim:
        return lead
    if apply_to == "volume" and entry.kind == "methods":
        raise InputError(
            f"{entry.name!r} works on planes, not on volumes. Use apply_to='plane' or "
            "apply_to='auto'."
        )
    return lead + "Z"


def joins_planes(entry: Entry) -> bool:
    """Whether a cleanup makes volumes of planes; what comes after it takes volumes."""
    return entry.kind == "cleanups" and entry.ndim == (3,)


def _check_planes(entry: Entry, lead: str) -> str:
    if 2 not in entry.ndim:
        raise InputError(f"{entry.name!r} works on volumes (ZYX) only; this would give it planes.")
    return lead


def announcement(entry: Entry, stack: Stack, apply_to: ApplyTo) -> str:
    """The message with which the work of an entry begins."""
    lead = leading_axes(entry, stack, apply_to)
    if not lead:
        return entry.title
    count = int(np.prod([stack.size(a) for a in lead]))
    size = "×".join(str(stack.size(a)) for a in stack.spatial_axes if a not in lead)
    what = "plane" if "Z" in lead or "Z" not in stack.axes else "volume"
    return f"{entry.title}: {count} {what}s of {size}, each by itself"


def spacing_of_parts(stack: Stack, lead: str) -> tuple[float, ...]:
    """The spacing along the axes that one call sees."""
    pairs = zip(stack.spatial_axes, stack.spacing, strict=True)
    return tuple(s for a, s in pairs if a not in lead)


def orientation_of_parts(stack: Stack, lead: str) -> str:
    """The anatomical direction of each axis that an entry sees; "" where it is not known."""
    pairs = zip(stack.spatial_axes, orientation_of(stack), strict=False)
    return "".join(direction for axis, direction in pairs if axis not in lead)


def check_memory(entry: Entry, stack: Stack) -> None:
    """Refuse a lazy stack where an entry needs the whole array in memory."""
    if entry.whole and stack.is_lazy:
        raise InputError(
            f"{entry.name!r} cannot run block by block: {entry.whole} "
            "Load the image first if it fits into memory: image.compute(), or on the command line "
            "neither --lazy nor --scheduler."
        )
