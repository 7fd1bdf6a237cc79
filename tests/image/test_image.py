"""Image and Labels: roles by name, geometry checked and preserved."""

from __future__ import annotations

from types import SimpleNamespace

import dask.array as da
import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels, from_layer


def layer(data, **changes):
    """A stand-in with the attributes of a napari layer."""
    n = changes.pop("n", data.ndim)
    fields = {
        "data": data, "scale": np.ones(n), "translate": np.zeros(n), "rotate": np.eye(n),
        "shear": np.zeros(n * (n - 1) // 2), "affine": np.eye(n + 1), "units": (),
        "axis_labels": tuple(f"axis {i - n}" for i in range(n)), "rgb": False,
        "multiscale": False, "name": "a", "metadata": {},
    }  # fmt: skip
    return SimpleNamespace(**{**fields, **changes})


def test_arrays_without_axes_are_planes_or_volumes():
    assert Image(np.zeros((4, 5))).axes == "YX"
    assert Image(np.zeros((3, 4, 5))).axes == "ZYX"
    assert Image(np.zeros((3, 4, 5))).spacing == (1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("shape", "axes", "message"),
    [
        ((2, 3, 4, 5), "", "axes='TZYX'"),
        ((64, 64, 3), "", "colour picture or a volume"),
        ((5,), "", "needs its axes named"),
        ((4, 5), "ZX", "Y and X always"),
        ((4, 5), "YY", "at most once"),
        ((4, 5), "QX", "not usable"),
        ((4, 5), "ZYX", "name 3 dimensions, but the array has 2"),
    ],
)
def test_roles_are_never_guessed(shape, axes, message):
    with pytest.raises(InputError, match=message):
        Image(np.zeros(shape), axes)


def test_spacing_and_affine_are_checked():
    with pytest.raises(InputError, match="one positive number"):
        Image(np.zeros((4, 5)), spacing=(1, 0))
    with pytest.raises(InputError, match="one positive number"):
        Image(np.zeros((4, 5)), spacing=(1, 1, 1))
    with pytest.raises(InputError, match=r"\(3, 3\)"):
        Image(np.zeros((4, 5)), affine=np.eye(4))


def test_spacing_comes_from_the_affine():
    turn = np.array([[0.0, -2.0, 5.0], [3.0, 0.0, 7.0], [0, 0, 1]])
    assert Image(np.zeros((4, 5)), affine=turn).spacing == (3.0, 2.0)


@pytest.mark.parametrize("dtype", [complex, object, "datetime64[s]", "U3"])
def test_pixels_must_be_real_numbers(dtype):
    with pytest.raises(InputError, match="real numbers"):
        Image(np.zeros((4, 5)).astype(dtype), "YX")


def test_transpose_carries_spacing_and_affine():
    data = np.arange(24).reshape(2, 3, 4)
    affine = np.diag([5.0, 3.0, 2.0, 1.0])
    affine[:3, 3] = [10, 20, 30]
    turned = Image(data, "ZYX", affine=affine).transpose("XZY")
    assert turned.shape == (4, 2, 3)
    assert turned.spacing == (2.0, 5.0, 3.0)
    assert turned.world()[:3, 3].tolist() == [30, 10, 20]
    back = turned.transpose("ZYX")
    assert np.array_equal(back.data, data)
    assert np.array_equal(back.world(), affine)


def test_take_drops_the_axis_and_its_spacing():
    image = Image(np.arange(24).reshape(2, 3, 4), "ZYX", spacing=(5, 3, 2))
    plane = image.take("Z", 1)
    assert (plane.axes, plane.spacing) == ("YX", (3.0, 2.0))
    assert np.array_equal(plane.data, image.data[1])
    with pytest.raises(InputError, match="have no 'T'"):
        image.take("T", 0)


def test_channels_by_index_and_name():
    image = Image(np.zeros((2, 4, 5)), "CYX", channels=("dapi", "gfp"))
    assert image.channel("gfp").axes == "YX"
    assert image.channel(-1).shape == (4, 5)
    with pytest.raises(InputError, match=r"no channel 2.*2 channels \(dapi, gfp\)"):
        image.channel(2)
    with pytest.raises(InputError, match="2 channels"):
        Image(np.zeros((2, 4, 5)), "CYX", channels=("one",))


def test_labels_are_integers():
    assert Labels(np.ones((2, 2), bool)).dtype == np.uint8
    whole = Labels(np.array([[0.0, 1.0], [2.0, 300.0]]))
    assert whole.dtype == np.uint16
    assert np.asarray(whole)[1, 1] == 300
    with pytest.raises(InputError, match="whole numbers"):
        Labels(np.array([[0.5, 1]]))
    with pytest.raises(InputError, match="no channel axis"):
        Labels(np.zeros((1, 2, 2), int), "CYX")


def test_layer_roles_come_from_axis_labels_and_rgb():
    stack = layer(np.zeros((2, 3, 4, 5)), axis_labels=("time", "z", "Y", "x"))
    assert from_layer(stack).axes == "TZYX"
    colour = layer(np.zeros((40, 50, 3), np.uint8), rgb=True, n=2)
    assert from_layer(colour).axes == "YXC"
    assert from_layer(colour).is_rgb
    with pytest.raises(InputError, match="axes named"):
        from_layer(layer(np.zeros((2, 3, 4, 5))))
    assert from_layer(layer(np.zeros((2, 3, 4, 5))), axes="CZYX").axes == "CZYX"


def test_multiscale_layers_give_their_full_resolution():
    levels = [np.zeros((8, 8)), np.zeros((4, 4))]
    pyramid = layer(levels[0], multiscale=True)
    pyramid.data = levels
    assert from_layer(pyramid).shape == (8, 8)


def test_layer_geometry_equals_napari():
    napari_layers = pytest.importorskip("napari.layers")
    rng = np.random.default_rng(0)
    given = napari_layers.Image(
        rng.random((3, 4, 5)), scale=(4, 2, 1), translate=(7, 8, 9), rotate=(10, 20, 30),
        shear=(0.1, 0.2, 0.3), units=("mm", "um", "um"),
    )  # fmt: skip
    image = from_layer(given, axes="ZYX")
    index = np.array([2.0, 3.0, 1.0])
    world = image.world() @ [*index, 1.0]
    expected = np.array(given.data_to_world(index))
    assert image.unit == "micrometer"
    assert np.allclose(world[1:3], expected[1:])
    assert np.allclose(world[0], expected[0] * 1000)


def test_stacks_say_what_they_are():
    image = Image(np.zeros((3, 4, 5), np.uint16), spacing=(2, 0.5, 0.5), unit="um")
    assert repr(image) == "<Image ZYX 3×4×5 uint16, 2×0.5×0.5 um>"
    labels = Labels(np.zeros((4, 5), np.uint8), holds="classes", names={1: "cell"})
    assert repr(labels) == "<Labels YX 4×5 uint8, 1×1 pixel, classes, 1 cell>"


@pytest.mark.parametrize("wrong", [0.5, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("lazy", [False, True])
def test_floats_that_are_no_labels_are_refused(wrong, lazy):
    def labels(corner):
        data = np.array([[corner, 1.0], [0.0, 70000.0]])
        return Labels(da.from_array(data, chunks=1) if lazy else data)

    assert np.asarray(labels(3.0)).tolist() == [[3, 1], [0, 70000]]
    with pytest.raises(InputError, match="whole numbers from 0"):
        np.asarray(labels(wrong))


@pytest.mark.parametrize("shape", [(64, 48, 1), (5, 6, 1), (2, 2, 1), (300, 2, 1)])
def test_a_last_axis_of_one_is_not_guessed(shape):
    with pytest.raises(InputError, match=r"axes='YXC' or axes='ZYX'"):
        Image(np.zeros(shape))
    assert Image(np.zeros(shape), "YXC").size("C") == 1
    assert Image(np.zeros(shape), "ZYX").size("X") == 1


@pytest.mark.parametrize("shape", [(1, 64, 48), (64, 1, 1), (1, 1, 1)])
def test_other_axes_of_one_are_those_of_a_volume(shape):
    assert Image(np.zeros(shape)).axes == "ZYX"
