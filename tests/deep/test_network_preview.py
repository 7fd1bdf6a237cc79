"""What a training will be, before it is begun."""

import pytest

from napari_segment import network_preview, samples, summary
from napari_segment.errors import InputError, SettingError

MODEL = ("textbook_unet", {"features": 4, "levels": 2})


def test_the_network_of_a_training_is_summed_up_before_it():
    image, truth = samples.stained_tissue((40, 48))
    pairs = [(image, samples.as_trimap(truth))] * 2
    found = network_preview(pairs, {"model": MODEL, "patch": (32, 24), "batch": 5})
    assert found.size == (5, 3, 32, 24)
    expected = summary(MODEL, channels_in=3, channels_out=3, size=(32, 24), batch=5)
    assert found.layers == expected.layers
    assert found.memory_training == expected.memory_training


def test_what_cannot_be_planned_is_said():
    with pytest.raises(InputError, match="no image with labels"):
        network_preview([])
    with pytest.raises(SettingError, match="modl"):
        network_preview([], {"modl": "unet"})
