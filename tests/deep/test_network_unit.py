"""A network's spacing and an image's are compared in one unit."""

import pytest

from napari_segment.deep.network import _in_unit


@pytest.mark.parametrize(
    ("unit", "wanted", "expected"),
    [
        ("micrometer", "micrometer", (2.0, 0.5)),
        ("", "mm", (2.0, 0.5)),
        ("um", "millimeter", (0.002, 0.0005)),
        ("mm", "micrometer", (2000.0, 500.0)),
        ("pixel", "micrometer", ()),
        ("micrometer", "pixel", ()),
        ("parsec", "mm", ()),
    ],
)
def test_spacing_in_the_networks_unit(unit, wanted, expected):
    assert _in_unit((2.0, 0.5), unit, wanted) == pytest.approx(expected)
