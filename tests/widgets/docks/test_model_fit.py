"""What of an image does not fit a network."""

from types import SimpleNamespace

import numpy as np
import pytest

from napari_segment.image import Image
from napari_segment.widgets.docks.model_fit import misfits, misfits_of


def network(**changes):
    given = {"channels": ("0",), "ndim": 2, "spacing": (0.5, 0.5), "unit": "micrometer"}
    return SimpleNamespace(**given | changes)


def image(shape=(8, 8), axes="YX", spacing=(0.5, 0.5), unit="micrometer"):
    return Image(np.zeros(shape), axes, spacing, unit)


def test_an_image_like_those_of_the_training_fits():
    assert misfits(network(), image()) == []
    assert misfits(network(spacing=()), image(spacing=(9, 9))) == []
    assert misfits(network(), image(spacing=(1, 1), unit="pixel")) == []


@pytest.mark.parametrize(
    ("trained", "given", "expected"),
    [
        ({}, {"shape": (3, 8, 8), "axes": "CYX"}, "trained on 1 channel, but the image has 3"),
        ({"channels": ("a", "b")}, {}, "trained on 2 channels, but the image has 1"),
        ({"ndim": 3, "spacing": (1, 1, 1)}, {}, "takes volumes"),
        ({}, {"spacing": (5, 5)}, "10 times larger"),
        ({}, {"spacing": (50, 50), "unit": "nanometer"}, "10 times smaller"),
        ({"unit": "millimeter"}, {}, "1000 times smaller"),
    ],
)
def test_what_does_not_fit_is_said(trained, given, expected):
    (sentence,) = misfits(network(**trained), image(**given))
    assert expected in sentence


def test_a_folder_without_a_network_says_nothing(tmp_path):
    assert misfits_of(tmp_path, image()) == []
