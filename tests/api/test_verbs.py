"""Every verb that takes two stacks takes them on one grid: turned, shifted, or refused."""

import warnings

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer

import napari_segment as ns
from napari_segment.api.classifier import _labelled
from napari_segment.api.markers import on_image
from napari_segment.errors import AlignmentWarning, GeometryError
from napari_segment.image import Image, Labels
from napari_segment.io.datasets.pairs import Pairs

AFFINE = np.array([[2.0, 0, 0, 10], [0, 0.5, 0, -3], [0, 0, 0.25, 7], [0, 0, 0, 1]])
SHAPE = (5, 7, 9)
WORLD = {"axes": "ZYX", "unit": "micrometer"}
TURNS = [
    ((0, 1, 2), (-1, 1, 1)), ((0, 1, 2), (1, -1, 1)), ((0, 1, 2), (-1, -1, -1)),
    ((2, 1, 0), (1, 1, 1)), ((1, 2, 0), (1, -1, 1)), ((2, 0, 1), (-1, 1, -1)),
]  # fmt: skip


def anatomy():
    """Pixels, and labels of which each has its own intensity."""
    labels = np.zeros(SHAPE, np.uint16)
    labels[1:3, 2:5, 1:6], labels[3:, 5:, 6:] = 4, 9
    return labels * 100.0, labels


def turned(data, order, signs):
    """The same anatomy stored in another order and direction of axes, and its affine."""
    flip = np.diag([*map(float, signs), 1.0])
    flip[:3, 3] = [n - 1 if s < 0 else 0 for n, s in zip(SHAPE, signs, strict=True)]
    steps = tuple(slice(None, None, s) for s in signs)
    return data[steps].transpose(order).copy(), AFFINE @ flip @ np.eye(4)[:, [*order, 3]]


def shifted(data, voxels):
    """The same voxels, a few planes further along the first axis."""
    affine = AFFINE.copy()
    affine[:3, 3] += AFFINE[:3, 0] * voxels
    return data, affine


def on(image, labels):
    """What each verb sees at the voxels of the image, by its name."""
    (learnt,) = _labelled(Pairs.of([(image, labels)]))
    _, paired = Pairs.of([(image, labels)]).read(0)
    layers = ImageLayer(image.data, affine=image.affine), _layer(labels)
    _, of_layers = Pairs.of([layers]).read(0)
    reference = Labels(np.zeros(SHAPE, np.uint16), affine=image.affine, **WORLD)
    twice = ns.consensus([reference, labels, labels], iou=0.1)
    return {
        "a pair for training": paired.data,
        "layers": of_layers.data,
        "a pixel classifier": learnt.labels,
        "markers": on_image("markers", labels, image).data,
        "a layer of markers": on_image("markers", layers[1], image.replace(unit="pixel")).data,
        "consensus": np.where(twice.data == 1, 4, np.where(twice.data == 2, 9, 0)),
    }


def _layer(labels):
    return LabelsLayer(labels.data, affine=labels.affine, metadata={"napari-segment": HOLDS})


HOLDS = {"holds": "objects"}


@pytest.mark.parametrize(("order", "signs"), TURNS)
def test_every_verb_turns_the_labels_onto_the_image(order, signs):
    pixels, data = anatomy()
    image = Image(pixels, affine=AFFINE, **WORLD)
    stored, affine = turned(data, order, signs)
    labels = Labels(stored, affine=affine, **WORLD)
    for verb, seen in on(image, labels).items():
        np.testing.assert_array_equal(seen, data, err_msg=verb)
    table = ns.measure(labels, image)
    assert table["mean_intensity"].tolist() == [400, 900]
    assert ns.measure(_layer(labels), ImageLayer(pixels, affine=AFFINE))[
        "mean_intensity"
    ].tolist() == [400, 900]
    assert ns.compare(labels, Labels(data, affine=AFFINE, **WORLD)).mean_dice == 1


@pytest.mark.parametrize(("order", "signs"), TURNS)
def test_every_verb_takes_a_turned_image(order, signs):
    pixels, data = anatomy()
    stored, affine = turned(pixels, order, signs)
    image = Image(stored, affine=affine, **WORLD)
    labels = Labels(data, affine=AFFINE, **WORLD)
    assert ns.measure(labels, image)["mean_intensity"].tolist() == [400, 900]
    _, seen = Pairs.of([(image, labels)]).read(0)
    np.testing.assert_array_equal(seen.data, turned(data, order, signs)[0])
    centroids = ["centroid_world_z", "centroid_world_y", "centroid_world_x"]
    np.testing.assert_allclose(
        ns.measure(labels, image)[centroids], ns.measure(labels)[centroids], atol=1e-12
    )


@pytest.mark.parametrize("voxels", [1, -1, 2])
def test_every_verb_resamples_labels_that_are_shifted_and_says_so(voxels):
    pixels, data = anatomy()
    image = Image(pixels, affine=AFFINE, **WORLD)
    stored, affine = shifted(data, voxels)
    expected = np.zeros_like(data)
    own, new = (
        slice(max(0, -voxels), SHAPE[0] - max(0, voxels)),
        slice(max(0, voxels), SHAPE[0] + min(0, voxels)),
    )
    expected[new] = data[own]
    with pytest.warns(AlignmentWarning, match="nearest neighbour"):
        seen_by = on(image, Labels(stored, affine=affine, **WORLD))
    for verb, seen in seen_by.items():
        np.testing.assert_array_equal(seen, expected, err_msg=verb)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("distance", [100, -500, 2000])
def test_every_verb_refuses_labels_that_lie_elsewhere(axis, distance):
    pixels, data = anatomy()
    image = Image(pixels, affine=AFFINE, **WORLD)
    affine = AFFINE.copy()
    affine[axis, 3] += distance
    labels = Labels(data, affine=affine, **WORLD)
    here = Labels(data, affine=AFFINE, **WORLD)
    layers = ImageLayer(pixels, affine=AFFINE), _layer(labels)
    calls = {
        "measure": lambda: ns.measure(labels, image),
        "measure, layers": lambda: ns.measure(layers[1], layers[0]),
        "compare": lambda: ns.compare(labels, here),
        "a pair for training": lambda: Pairs.of([(image, labels)]).read(0),
        "layers": lambda: Pairs.of([layers]).read(0),
        "a pixel classifier": lambda: list(_labelled(Pairs.of([(image, labels)]))),
        "markers": lambda: ns.segment(image, "watershed", markers=labels),
        "consensus": lambda: ns.consensus([here, labels]),
    }
    for call in calls.values():
        with pytest.raises(GeometryError, match="do not overlap"):
            call()


def test_nothing_is_said_where_the_worlds_are_equal():
    pixels, data = anatomy()
    image = Image(pixels, affine=AFFINE, **WORLD)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        on(image, Labels(data, affine=AFFINE, **WORLD))
