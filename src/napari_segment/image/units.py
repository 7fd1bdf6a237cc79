"""Units of length and time: every spelling that files use, and factors between them."""

from __future__ import annotations

import re
from collections.abc import Sequence

# name -> metres
LENGTHS = {
    "angstrom": 1e-10, "nanometer": 1e-9, "micrometer": 1e-6, "millimeter": 1e-3,
    "centimeter": 1e-2, "decimeter": 1e-1, "meter": 1.0, "inch": 0.0254,
}  # fmt: skip
# name -> seconds
TIMES = {
    "nanosecond": 1e-9, "microsecond": 1e-6, "millisecond": 1e-3, "second": 1.0, "minute": 60.0,
    "hour": 3600.0, "day": 86400.0,
}  # fmt: skip
PIXEL = "pixel"

_SPELLINGS = {
    "angstrom": ("å", "a", "ang", "ångström", "ångstrom", "angström", "angstroem"),
    "nanometer": ("nm", "nanometre"),
    "micrometer": ("um", "µm", "micron", "mic", "micrometre", "u", "µ"),
    "millimeter": ("mm", "millimetre"),
    "centimeter": ("cm", "centimetre"),
    "decimeter": ("dm", "decimetre"),
    "meter": ("m", "metre"),
    "inch": ("in", '"', "inches"),
    "nanosecond": ("ns", "nsec"),
    "microsecond": ("us", "µs", "usec", "µsec"),
    "millisecond": ("ms", "msec"),
    "second": ("s", "sec"),
    "minute": ("min",),
    "hour": ("h", "hr"),
    "day": ("d",),
    PIXEL: ("", "pixels", "px", "voxel", "voxels", "none", "unknown", "dimensionless"),
}
_NAMES = {s: name for name, spellings in _SPELLINGS.items() for s in (name, *spellings)}
_ESCAPES = re.compile(r"\\u([0-9a-fA-F]{4})|&#x([0-9a-fA-F]+);")


def canonical_unit(text: str | None) -> str | None:
    r"""Give a unit its name in full.

    Parameters
    ----------
    text : str or None
        Any usual spelling: "µm", "um", "micron", "\\u00B5m", "Micrometers", "Å", "mm", "sec".

    Returns
    -------
    str or None
        The name in `LENGTHS` or `TIMES`, "pixel" for no unit, None for one that is not known.

    Examples
    --------
    >>> canonical_unit("µm"), canonical_unit("Millimetres"), canonical_unit("furlong")
    ('micrometer', 'millimeter', None)
    """
    if text is None:
        return PIXEL
    plain = _ESCAPES.sub(lambda m: chr(int(m[1] or m[2], 16)), str(text)).strip(" \t\r\n\0")
    plain = plain.replace("\N{GREEK SMALL LETTER MU}", "µ").replace("&micro;", "µ")
    plain = plain.replace("Âµ", "µ").replace("\N{ANGSTROM SIGN}", "å").replace("Ã…", "å")
    lower = plain.lower()
    for spelling in (lower, lower.removesuffix("s"), lower.rstrip(".")):
        if spelling in _NAMES:
            return _NAMES[spelling]
    return None


def length_factor(unit: str, other: str) -> float | None:
    """Return how many of another unit of length one unit is.

    Parameters
    ----------
    unit, other : str
        Units of length in any usual spelling, or "pixel".

    Returns
    -------
    float or None
        None where one of the two is no length or not known, and the other is another one.

    Examples
    --------
    >>> length_factor("micrometer", "nm")
    1000.0
    """
    first, second = canonical_unit(unit), canonical_unit(other)
    if first is None or second is None:
        return 1.0 if unit == other else None
    if first == second:
        return 1.0
    if first in LENGTHS and second in LENGTHS:
        return float(f"{LENGTHS[first] / LENGTHS[second]:.12g}")
    return None


def time_factor(unit: str, other: str = "second") -> float | None:
    """Return how many of another unit of time one unit is; None where one of the two is no time."""
    first, second = canonical_unit(unit), canonical_unit(other)
    if first in TIMES and second in TIMES:
        return float(f"{TIMES[first] / TIMES[second]:.12g}")
    return None


def common_length_unit(units: Sequence[str]) -> tuple[str, tuple[float, ...]] | None:
    """Return one unit for axes that come in several, with the factor of each axis.

    Parameters
    ----------
    units : sequence of str
        Of the spatial axes, in any usual spelling.

    Returns
    -------
    unit, factors : str, tuple of float
        The unit of the last axis (X), and what each axis' spacing is to be multiplied with. None
        where one of them is not known, or only some are pixels.
    """
    if not units:
        return PIXEL, ()
    name = canonical_unit(units[-1])
    factors = [length_factor(unit, units[-1]) for unit in units]
    known = [f for f in factors if f is not None]
    if name not in (*LENGTHS, PIXEL) or len(known) < len(factors):
        return None
    return name, tuple(known)
