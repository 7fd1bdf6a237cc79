"""Drawings of networks."""

import pytest

from napari_segment.deep.nn.summary import summary
from napari_segment.deep.nn.summary.drawing import blocks

TEXTBOOK = ("textbook_unet", {"features": 4, "levels": 3})


@pytest.fixture(scope="module")
def textbook():
    return summary(TEXTBOOK, channels_in=3, channels_out=2, ndim=2, size=(40, 48), batch=2)


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_drawing(textbook, tmp_path, ending):
    path = textbook.draw(tmp_path / f"drawn.{ending}")
    assert path.stat().st_size > 5000


def test_boxes_stand_at_their_level(textbook):
    assert [round(b.level) for b in blocks(textbook.layers, textbook.size)] == [0, 1, 2, 1, 1, 0, 0]
