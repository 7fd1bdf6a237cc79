"""Arrays that know their axes, spacing and place in the world."""

from __future__ import annotations

import numpy as np
import pytest

from napari_segment.errors import InputError
from napari_segment.image import Image, Labels


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


def test_stacks_say_what_they_are():
    image = Image(np.zeros((3, 4, 5), np.uint16), spacing=(2, 0.5, 0.5), unit="um")
    assert repr(image) == "<Image ZYX 3×4×5 uint16, 2×0.5×0.5 um>"
    labels = Labels(np.zeros((4, 5), np.uint8), holds="classes", names={1: "cell"})
    assert repr(labels) == "<Labels YX 4×5 uint8, 1×1 pixel, classes, 1 cell>"


@pytest.mark.parametrize("shape", [(64, 48, 1), (5, 6, 1), (2, 2, 1), (300, 2, 1)])
def test_a_last_axis_of_one_is_not_guessed(shape):
    with pytest.raises(InputError, match=r"axes='YXC' or axes='ZYX'"):
        Image(np.zeros(shape))
    assert Image(np.zeros(shape), "YXC").size("C") == 1
    assert Image(np.zeros(shape), "ZYX").size("X") == 1


@pytest.mark.parametrize("shape", [(1, 64, 48), (64, 1, 1), (1, 1, 1)])
def test_other_axes_of_one_are_those_of_a_volume(shape):
    assert Image(np.zeros(shape)).axes == "ZYX"


def test_axes_named_anew_keep_the_spacing_of_what_stays_in_space():
    affine = np.diag([2.0, 0.5, 0.25, 1.0])
    affine[:3, 3] = (7, 8, 9)
    image = Image(np.zeros((3, 4, 5)), "ZYX", affine=affine, unit="micrometer")
    film = image.named("TYX")
    assert (film.axes, film.spacing, film.unit) == ("TYX", (0.5, 0.25), "micrometer")
    np.testing.assert_array_equal(film.affine, [[0.5, 0, 8], [0, 0.25, 9], [0, 0, 1]])
    volume = film.named("ZYX")
    assert (volume.spacing, volume.affine) == ((1.0, 0.5, 0.25), None)
    colours = Image(np.zeros((2, 4, 5)), "CYX", spacing=(0.5, 0.25), channels=("a", "b"))
    assert colours.named("ZYX").channels == ()
    assert image.named("ZYX").affine is not None
    with pytest.raises(InputError, match="name 2 dimensions"):
        image.named("YX")
