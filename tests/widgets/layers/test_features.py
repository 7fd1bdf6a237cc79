"""Tables of features in the form of napari."""

import numpy as np
import pandas as pd
import pytest

from napari_segment.image import Labels
from napari_segment.widgets.layers import conversion as layers
from napari_segment.widgets.layers.features import features_of


def test_features_satisfy_table_and_status_bar():
    table = pd.DataFrame({"label": [2, 4], "volume": [8.0, 1.0]})
    features = features_of(table)
    assert features["index"].tolist() == [0, 1, 2, 3, 4]
    assert features["volume"][2] == 8.0
    assert np.isnan(features["volume"][3])
    assert len(features_of(table[:0])) == 1


def test_class_names_become_features():
    labels = Labels(np.ones((4, 4), np.uint8), holds="classes", names={1: "head", 2: "tail"})
    _, attributes, kind = layers.stack_layer(labels)
    assert kind == "labels"
    assert attributes["features"]["name"].tolist() == ["", "head", "tail"]


@pytest.mark.parametrize("big", [2**31 + 5, 2**40, 2**62])
def test_features_of_large_numbers_list_only_those_that_exist(big):
    table = pd.DataFrame({"label": [3, big], "area": [7.0, 9.0]})
    features = features_of(table)
    assert features["index"].tolist() == [0, 3, big]
    assert features["area"].tolist()[1:] == [7.0, 9.0]
    labels = Labels(np.array([[0, 3], [big, big]]), features={"label": np.array([3, big])})
    data, attributes, _ = layers.stack_layer(labels)
    assert int(np.asarray(data).max()) == big
    assert attributes["features"]["index"].tolist() == [0, 3, big]


def test_boxes_of_a_permuted_volume_follow_its_axes():
    data = np.zeros((4, 6, 8), np.uint8)
    data[1:3, 2:5, 3:8] = 1
    affine = np.eye(4)[[2, 0, 1, 3]]  # the array's axes run along Y, X and Z
    box = {f"bbox_{a}_{e}": np.array([v]) for a, (low, high) in
           {"z": (1, 3), "y": (2, 5), "x": (3, 8)}.items()
           for e, v in (("start", low), ("stop", high))}  # fmt: skip
    labels = Labels(data, affine=affine, features={"label": np.array([1]), **box})
    shown, attributes, _ = layers.stack_layer(labels)
    where = np.argwhere(np.asarray(shown))
    for axis, letter in enumerate("zyx"):
        row = attributes["features"].iloc[1]
        assert row[f"bbox_{letter}_start"] == where[:, axis].min()
        assert row[f"bbox_{letter}_stop"] == where[:, axis].max() + 1
