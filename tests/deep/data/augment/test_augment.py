"""Strengths of the augmentation, and amounts by hand."""

import pytest

from napari_segment.deep.data.augment import (
    Augmentation,
)
from napari_segment.errors import SettingError


def test_amounts_by_hand():
    assert Augmentation.of("light", ("rotate=45", "flip=0")).rotate == 45
    with pytest.raises(SettingError, match="Write name=amount"):
        Augmentation.of("light", ("spin=3",))
    with pytest.raises(SettingError, match="'flip' is '7'"):
        Augmentation.of("light", ("flip=7",))
