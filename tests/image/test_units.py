"""One table of units for every reader."""

import pytest

from napari_segment.image.units import (
    canonical_unit,
    common_length_unit,
    length_factor,
    time_factor,
)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("µm", "micrometer"), ("\N{GREEK SMALL LETTER MU}m", "micrometer"), ("um", "micrometer"),
        (r"\u00B5m", "micrometer"), ("&#xB5;m", "micrometer"), ("Âµm", "micrometer"),
        ("microns", "micrometer"), ("Micrometre", "micrometer"), ("nm", "nanometer"),
        ("Å", "angstrom"), ("\N{ANGSTROM SIGN}", "angstrom"), ("MM", "millimeter"),
        ("cm", "centimeter"), ("dm", "decimeter"), ("m", "meter"), ("in", "inch"),
        ("inch.", "inch"), ("px", "pixel"), ("", "pixel"), (None, "pixel"), ("sec", "second"),
        ("ms", "millisecond"), ("µs", "microsecond"), ("min", "minute"), ("h", "hour"),
        ("days", "day"), ("furlong", None),
    ],
)  # fmt: skip
def test_every_spelling_has_one_name(text, name):
    assert canonical_unit(text) == name


def test_factors_between_lengths_and_between_times():
    assert length_factor("um", "nm") == 1000
    assert length_factor("Å", "nm") == 0.1
    assert length_factor("inch", "mm") == 25.4
    assert length_factor("pixel", "px") == 1
    assert length_factor("mm", "pixel") is None
    assert length_factor("second", "mm") is None
    assert time_factor("min") == 60
    assert time_factor("ms", "s") == 0.001
    assert time_factor("mm") is None


def test_axes_in_several_units_get_one():
    assert common_length_unit(["um", "nm", "nm"]) == ("nanometer", (1000.0, 1.0, 1.0))
    assert common_length_unit(["um", "furlong"]) is None
    assert common_length_unit(["pixel", "um"]) is None
