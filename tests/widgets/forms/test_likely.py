"""What forms choose first, on layers without a window."""

import numpy as np
import pytest
from napari.layers import Image, Labels

from napari_segment.widgets.forms.likely import (
    image_for,
    labels_for,
    newest_result,
    reference_for,
)


def labels(shape, name, source="", *, made=False):
    recorded = {"source": source} | ({"recipe": {"method": {"name": "otsu"}}} if made else {})
    return Labels(
        np.zeros(shape, int), name=name, metadata={"napari-segment": recorded} if source else {}
    )


@pytest.fixture
def layers():
    return [
        Image(np.zeros((4, 5)), name="small"),
        Image(np.zeros((6, 7)), name="first"),
        Image(np.zeros((6, 7)), name="second"),
        Image(np.zeros((6, 7, 3), np.uint8), name="colours", rgb=True),
        Image(np.zeros((2, 6, 7)), name="channels", axis_labels=("c", "y", "x")),
        labels((4, 5), "of small"),
        labels((6, 7), "segmented", "second", made=True),
        labels((6, 7), "by hand"),
    ]


def named(layer):
    return layer and layer.name


def test_the_image_is_that_which_the_labels_record_else_one_of_their_shape(layers):
    *_, of_small, segmented, by_hand = layers
    assert named(image_for(segmented, layers)) == "second"
    assert named(image_for(by_hand, layers)) == "first"
    assert named(image_for(of_small, layers)) == "small"
    assert image_for(labels((9, 9), "alone"), layers) is None
    assert image_for(None, layers) is None


@pytest.mark.parametrize("name", ["first", "second", "colours", "channels"])
def test_labels_to_train_on_have_the_images_shape_and_are_no_result(layers, name):
    image = next(layer for layer in layers if layer.name == name)
    assert named(labels_for(image, layers)) == "by hand"
    assert named(labels_for(image, layers[:-1])) == "segmented"
    assert labels_for(image, layers[:-2]) is None


def test_the_reference_is_not_the_result_itself(layers):
    *_, of_small, segmented, by_hand = layers
    assert reference_for(segmented, layers) is by_hand
    assert reference_for(by_hand, layers) is segmented
    assert reference_for(of_small, layers) is not of_small
    assert reference_for(segmented, [segmented]) is None


def test_the_newest_result_comes_before_labels_by_hand(layers):
    assert named(newest_result(layers)) == "segmented"
    assert named(newest_result(layers[5:6])) == "of small"
    assert newest_result(layers[:5]) is None
