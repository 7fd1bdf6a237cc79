"""Random changes are shown before a training, through the public function."""

import numpy as np
import pytest

from napari_segment import Image, Labels, augment_preview, network_preview, samples, summary
from napari_segment.errors import InputError, SettingError


def pairs(shape=(40, 48), holds="classes"):
    rng = np.random.default_rng(0)
    labels = np.zeros(shape, np.uint16)
    labels[..., 8:20, 10:30] = 3
    labels[..., 25:35, 5:15] = 300
    image = (labels + rng.normal(0, 5, shape)).astype(np.float32)
    return [(Image(image), Labels(labels, holds=holds))] * 2


def test_the_first_patch_is_as_it_is_and_the_others_differ():
    actual = augment_preview(pairs(), {"augment": "strong", "patch": (32, 32)}, count=3)
    image, labels = actual["image"], actual["labels"]
    assert image.shape == (4, 1, 32, 32)
    assert labels.shape == (4, 32, 32)
    assert set(np.unique(labels)) <= {-1, 0, 3, 300}
    again = augment_preview(pairs(), {"augment": "strong", "patch": (32, 32)}, count=1)
    np.testing.assert_array_equal(again["image"][1], image[1])
    assert all(np.abs(changed - image[0]).max() > 0.01 for changed in image[1:])


def test_nothing_changes_without_augmentation():
    settings = {"augment": "none", "seed": 3}
    actual = augment_preview(pairs(holds="objects"), settings, case=1, count=2)
    np.testing.assert_array_equal(actual["image"][0], actual["image"][2])
    np.testing.assert_array_equal(actual["labels"][0], actual["labels"][1])


def test_planes_of_stacks_come_with_their_neighbours():
    actual = augment_preview(pairs((5, 40, 48)), {"slices": 3}, count=1)
    assert actual["image"].shape[:2] == (2, 3)
    assert actual["image"].ndim == 4


def test_messages_for_what_is_missing():
    with pytest.raises(InputError, match="no case 7"):
        augment_preview(pairs(), case=7)
    with pytest.raises(SettingError, match="augment"):
        augment_preview(pairs(), {"augment": "wild"})


MODEL = ("textbook_unet", {"features": 4, "levels": 2})


def test_the_network_of_a_training_is_summed_up_before_it():
    image, truth = samples.stained_tissue((40, 48))
    pairs = [(image, samples.as_trimap(truth))] * 2
    actual = network_preview(pairs, {"model": MODEL, "patch": (32, 24), "batch": 5})
    assert actual.size == (5, 3, 32, 24)
    expected = summary(MODEL, channels_in=3, channels_out=3, size=(32, 24), batch=5)
    assert actual.layers == expected.layers
    assert actual.memory_training == expected.memory_training


def test_what_cannot_be_planned_is_said():
    with pytest.raises(InputError, match="no image with labels"):
        network_preview([])
    with pytest.raises(SettingError, match="modl"):
        network_preview([], {"modl": "unet"})
