"""Results lie where their source lies, and say what made them."""

import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer
from napari.layers import Layer

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.recipe import Recipe, Spec
from napari_segment.widgets.layers import conversion as layers


def skewed(shape, axes, **more):
    """A layer that uses all seven attributes."""
    n = len(shape)
    turn = np.eye(n)
    turn[-2:, -2:] = [[0.8, -0.6], [0.6, 0.8]]
    affine = np.eye(n + 1)
    affine[:-1, -1] = np.arange(n) * 3.0
    return ImageLayer(
        np.zeros(shape, np.uint8),
        scale=np.arange(1, n + 1) * 0.5,
        translate=np.arange(n) + 10.0,
        rotate=turn,
        shear=np.linspace(0, 0.3, n * (n - 1) // 2),
        affine=affine,
        units=["second" if a == "T" else "pixel" if a == "C" else "um" for a in axes],
        axis_labels=tuple(axes.lower()),
        rgb=False,
        name="cells",
        **more,
    )


def made(shape, axes, **settings):
    recipe = Recipe(method=Spec(name="otsu"), **settings)
    return Labels(np.ones(shape, np.uint8), axes, holds="mask", recipe=recipe)


def corners(layer):
    """World coordinates of the first voxel and of its neighbour along each axis."""
    n = layer.ndim
    points = [np.zeros(n), *np.eye(n)]
    return np.array([layer.data_to_world(p) for p in points])


@pytest.mark.parametrize("axes", ["YX", "ZYX", "TZYX"])
def test_result_lies_on_its_source(axes):
    shape = (2, 3, 5, 6)[-len(axes) :]
    source = skewed(shape, axes)
    result = Layer.create(*layers.result_layer(made(shape, axes), source, axes, "x"))
    np.testing.assert_allclose(corners(result), corners(source))
    assert result.units == source.units
    assert result.axis_labels == source.axis_labels
    assert isinstance(result, LabelsLayer)


def test_leading_channel_is_dropped():
    source = skewed((2, 3, 5, 6), "CZYX")
    source.rotate = np.eye(4)
    source.shear = np.zeros(6)
    result = Layer.create(*layers.result_layer(made((3, 5, 6), "ZYX"), source, "CZYX", "x"))
    np.testing.assert_allclose(corners(result), corners(source)[[0, 2, 3, 4], 1:])


def test_inner_channel_keeps_its_position():
    source = skewed((2, 3, 4, 5, 6), "TCZYX")
    labels = made((2, 4, 5, 6), "TZYX", channel=2)
    result = Layer.create(*layers.result_layer(labels, source, "TCZYX", "x"))
    assert result.data.shape == (2, 1, 4, 5, 6)
    np.testing.assert_allclose(
        result.data_to_world(np.zeros(5)), source.data_to_world([0, 2, 0, 0, 0])
    )


def test_time_range_is_shifted():
    source = skewed((9, 5, 6), "TYX")
    labels = made((3, 5, 6), "TYX", times=(4, 7))
    result = Layer.create(*layers.result_layer(labels, source, "TYX", "x"))
    np.testing.assert_allclose(result.data_to_world([0, 0, 0]), source.data_to_world([4, 0, 0]))


def test_provenance_comes_back():
    source = skewed((5, 6), "YX")
    labels = made((5, 6), "YX")
    result = Layer.create(*layers.result_layer(labels, source, "YX", "x"))
    assert layers.recipe_of_layer(result) == labels.recipe
    assert layers.labels_of(result).holds == "mask"
    assert result.metadata["napari-segment"]["source"] == "cells"
    assert layers.recipe_of_layer(source) is None


def test_axes_are_named_or_offered():
    named = skewed((3, 5, 6), "TYX")
    assert layers.possible_axes(named)[0] == "TYX"
    bare = ImageLayer(np.zeros((2, 3, 5, 6)), rgb=False)
    assert layers.known_axes(bare) == ""
    assert layers.possible_axes(bare)[0] == "TZYX"
    colour = ImageLayer(np.zeros((20, 30, 3), np.uint8), rgb=True)
    assert layers.possible_axes(colour) == ("YX",)
    assert layers.image_of(colour, "YX").is_rgb
    with pytest.raises(InputError, match="Labels layer"):
        layers.labels_of(named)


def test_stacks_go_to_layers_and_back():
    affine = np.array([[0, 2, 0, 1], [-3, 0, 0, 2], [0, 0, 1, 3], [0, 0, 0, 1.0]])
    image = Image(np.zeros((4, 5, 6), np.uint16), unit="millimeter", affine=affine, name="ct")
    back = layers.image_of(Layer.create(*layers.stack_layer(image)))
    np.testing.assert_allclose(back.world(), affine[:, [1, 0, 2, 3]])  # transposed
    assert back.shape == (5, 4, 6)
    assert (back.axes, back.unit, back.name) == ("ZYX", "millimeter", "ct")
    film = Image(np.zeros((3, 5, 6)), "TYX", (0.5, 0.25), "micrometer", interval=4.0)
    back = layers.image_of(Layer.create(*layers.stack_layer(film)))
    assert (back.axes, back.spacing, back.interval) == ("TYX", (0.5, 0.25), 4.0)
    assert back.unit == "micrometer"


def test_labels_of_one_channel_lose_its_axis():
    source = skewed((2, 1, 5, 6), "TCYX")
    layer = Layer.create(*layers.result_layer(made((2, 5, 6), "TYX"), source, "TCYX", "x"))
    assert layer.data.shape == (2, 1, 5, 6)
    labels = layers.labels_of(layer)
    assert (labels.axes, labels.shape, labels.holds) == ("TYX", (2, 5, 6), "mask")
    assert labels.interval == source.scale[0]
    world = layer.data_to_world([0, 0, 3, 2])[-2:]
    np.testing.assert_allclose((labels.world() @ [3, 2, 1])[:2], world)
    several = LabelsLayer(np.zeros((2, 3, 5, 6), np.uint8), axis_labels=tuple("tcyx"))
    with pytest.raises(InputError, match="several channels"):
        layers.labels_of(several)


def test_unnamed_labels_of_four_dimensions_are_volumes_in_time():
    assert layers.labels_of(LabelsLayer(np.zeros((2, 3, 5, 6), np.uint8))).axes == "TZYX"


def test_labels_that_can_be_painted_are_int32():
    data = np.arange(256, dtype=np.uint8).reshape(16, 16)
    painted, _, _ = layers.stack_layer(Labels(data, "YX"))
    assert painted.dtype == np.int32
    np.testing.assert_array_equal(painted, data)


@pytest.mark.parametrize("order", [(0, 2, 1), (2, 0, 1), (1, 2, 0), (2, 1, 0)])
def test_permuted_volumes_are_transposed_along_the_world(order):
    data = np.arange(60).reshape(3, 4, 5)
    affine = np.eye(4)
    affine[:3, :3] = np.diag([2.0, -3.0, 4.0])[:, order]
    affine[:3, :3] += 0.01  # slightly oblique
    affine[:3, 3] = (7, 8, 9)
    layer = Layer.create(*layers.stack_layer(Image(data, "ZYX", affine=affine, unit="mm")))
    assert (np.argmax(np.abs(layer.affine.affine_matrix[:3, :3]), axis=0) == (0, 1, 2)).all()
    for index in np.ndindex(data.shape):
        world = affine @ [*index, 1]
        (actual,) = np.rint([layer.world_to_data(world[:3])]).astype(int)
        assert layer.data[tuple(actual)] == data[index]
