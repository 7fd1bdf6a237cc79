"""What a run gave as layers."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Layer

from napari_segment.image import Image, Labels
from napari_segment.widgets.layers.results import MOST, box_corners, result_layers


def of_planes():
    """Three objects in a volume: two in plane 1, one through planes 2 and 3."""
    data = np.zeros((4, 8, 9), np.uint8)
    data[1, 1:3, 1:4], data[1, 5:7, 2:4], data[2:4, 0:2, 6:9] = 1, 2, 3
    features = {
        "label": np.array([1, 2, 3]), "class": np.array(["cell", "dirt", "cell"]),
        "score": np.array([0.9, 0.25, 0.5]),
        "bbox_z_start": np.array([1, 1, 2]), "bbox_z_stop": np.array([2, 2, 4]),
        "bbox_y_start": np.array([1, 5, 0]), "bbox_y_stop": np.array([3, 7, 2]),
        "bbox_x_start": np.array([1, 2, 6]), "bbox_x_stop": np.array([4, 4, 9]),
    }  # fmt: skip
    maps = {
        "entropy": Image(np.full((4, 8, 9), 0.5, np.float32), "ZYX"),
        "probabilities": Image(
            np.zeros((2, 4, 8, 9), np.float32), "CZYX", channels=("none", "cell")
        ),
    }
    return Labels(data, "ZYX", features=features, maps=maps)


def layers_of(labels, source, axes):
    layers = [Layer.create(*data) for data in result_layers(labels, source, axes, "found")]
    return {layer.name: layer for layer in layers}


@pytest.fixture
def source():
    return ImageLayer(
        np.zeros((4, 8, 9)), scale=(2, 0.5, 0.5), translate=(1, 2, 3), units=("um",) * 3
    )


def test_everything_lies_where_the_labels_lie(source):
    layers = layers_of(of_planes(), source, "ZYX")
    assert list(layers) == [
        "found entropy", "found probabilities none", "found probabilities cell", "found",
        "found boxes",
    ]  # fmt: skip
    for layer in layers.values():
        np.testing.assert_allclose(layer.scale, source.scale)
        np.testing.assert_allclose(layer.translate, source.translate)
        assert layer.units == source.units
    assert layers["found entropy"].visible
    assert not layers["found probabilities cell"].visible
    assert layers["found entropy"].contrast_limits == [0, 1]


def test_features_are_those_of_the_labels(source):
    table = layers_of(of_planes(), source, "ZYX")["found"].features
    assert table["index"].tolist() == [0, 1, 2, 3]
    assert table["class"].tolist()[1:] == ["cell", "dirt", "cell"]


def test_boxes_have_text_and_stand_on_every_plane_of_their_object(source):
    boxes = layers_of(of_planes(), source, "ZYX")["found boxes"]
    assert [box[0, 0] for box in boxes.data] == [1, 1, 2, 3]
    np.testing.assert_array_equal(
        boxes.data[0], [[1, 0.5, 0.5], [1, 0.5, 3.5], [1, 2.5, 3.5], [1, 2.5, 0.5]]
    )
    assert boxes.text.values.tolist() == ["cell 0.90", "dirt 0.25", "cell 0.50", "cell 0.50"]
    assert len(np.unique(boxes.edge_color, axis=0)) == 2


def test_of_too_many_boxes_the_surest_are_drawn():
    count = MOST + 10
    names = [f"bbox_{axis}_{end}" for axis in "yx" for end in ("start", "stop")]
    features = {name: np.full(count, "stop" in name) * 2 for name in names}
    features |= {"label": np.arange(count) + 1, "score": np.linspace(0, 1, count)}
    boxes, rows = box_corners(Labels(np.zeros((4, 4), np.uint16), "YX", features=features))
    assert len(boxes) == MOST
    assert rows[0] == 10


def test_a_channel_in_front_is_dropped_and_one_behind_time_stays():
    labels = of_planes()
    front = ImageLayer(np.zeros((2, 4, 8, 9)), rgb=False)
    assert {la.ndim for la in layers_of(labels, front, "CZYX").values()} == {3}
    names = ("features", "maps")
    data = np.stack([labels.data, labels.data])
    features = {n: np.tile(c, 2) for n, c in labels.features.items()}
    features["time"] = np.repeat([0, 1], 3)
    maps = {"entropy": Image(np.zeros(data.shape, np.float32), "TZYX")}
    moving = Labels(data, "TZYX", **dict(zip(names, (features, maps), strict=True)))
    behind = ImageLayer(np.zeros((2, 3, 4, 8, 9)), rgb=False)
    layers = layers_of(moving, behind, "TCZYX")
    assert {layer.ndim for layer in layers.values()} == {5}
    assert [tuple(box[0, :3]) for box in layers["found boxes"].data][4:6] == [(1, 0, 1), (1, 0, 1)]
    assert "class" not in layers["found"].features  # labels begin again at each time point


def test_plain_labels_are_one_layer(source):
    plain = Labels(np.zeros((4, 8, 9), np.uint8), "ZYX")
    assert list(layers_of(plain, source, "ZYX")) == ["found"]
