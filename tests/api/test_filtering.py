"""Filters alone, and further data by name."""

import dask.array as da
import numpy as np
import pytest

from napari_segment import Image, apply_filters, filters, segment, write
from napari_segment.api import as_seen, recipe_of
from napari_segment.cli import main
from napari_segment.errors import InputError, SettingError
from napari_segment.io import read_labels


@pytest.fixture
def stack():
    data = np.random.default_rng(2).integers(0, 900, (4, 12, 15)).astype(np.uint16)
    return Image(data, "ZYX", (2.0, 0.5, 0.5), unit="micrometer", name="stack")


def test_filters_run_in_order_with_the_spacing(stack):
    actual = apply_filters(stack, ["median", ("gaussian", {"sigma": 1.0})])
    expected = filters["gaussian"](filters["median"](stack.data), stack.spacing, sigma=1.0)
    np.testing.assert_array_equal(actual.data, expected)
    assert (actual.axes, actual.spacing, actual.unit) == ("ZYX", stack.spacing, "micrometer")
    lazy = apply_filters(stack.replace(data=da.from_array(stack.data, (2, 5, 15))), ["median"])
    assert lazy.is_lazy
    np.testing.assert_array_equal(lazy.data.compute(), filters["median"](stack.data))


def test_all_channels_or_one_in_the_order_of_the_image(stack):
    data = np.stack([stack.data, stack.data[::-1]], -1)[None]
    image = Image(data, "TZYXC", stack.spacing)
    both = apply_filters(image, "invert", times=(0, 1))
    assert (both.axes, both.shape) == ("TZYXC", data.shape)
    one = apply_filters(image, "median", channel=1, apply_to="plane")
    assert one.axes == "TZYX"
    expected = [filters["median"](plane) for plane in stack.data[::-1]]
    np.testing.assert_array_equal(one.data[0], expected)
    with pytest.raises(InputError, match="No filter"):
        apply_filters(image, [])


def test_a_recipe_gives_what_its_method_sees(stack):
    colour = Image(stack.data[0, :, :, None].repeat(3, 2), "YXC", channels=("red", "green", "blue"))
    recipe = recipe_of("otsu", filters=["median"])
    seen = apply_filters(colour, recipe)
    assert seen.axes == "YX"
    np.testing.assert_array_equal(seen.data, as_seen(recipe, colour).data)
    assert apply_filters(colour, recipe_of("kmeans", filters=["median"])).axes == "YXC"


def test_three_directions_are_no_single_image(stack):
    recipe = recipe_of("otsu", filters=["median"], apply_to="directions", cleanups=["link_planes"])
    with pytest.raises(InputError, match="three directions"):
        apply_filters(stack, recipe)
    with pytest.raises(InputError, match="three directions"):
        apply_filters(stack, ["median"], apply_to="directions")
    film = stack.replace(data=stack.data[:, None], axes="TZYX")
    actual = apply_filters(film, ["median"], apply_to="stack")
    np.testing.assert_array_equal(actual.data, apply_filters(film, ["median"]).data)


def test_chosen_channels_are_what_the_method_sees(stack):
    data = np.stack([stack.data, 900 - stack.data, stack.data[::-1]])
    image = Image(data, "CZYX", stack.spacing, channels=("red", "green", "blue"))
    chosen = apply_filters(image, [("channels", {"indices": (2, 0)})])
    np.testing.assert_array_equal(chosen.data, data[[0, 2]])
    assert chosen.channels == ()
    assert apply_filters(image, ["channels"]).channels == image.channels
    pick = ("channels", {"indices": (1,)})
    expected = segment(image.channel(1), "kmeans", clusters=3).data
    np.testing.assert_array_equal(
        segment(image, "kmeans", clusters=3, filters=[pick]).data, expected
    )
    lazy = image.replace(data=da.from_array(data, (1, 2, 6, 15)))
    actual = segment(lazy, "kmeans", clusters=3, filters=[pick])
    np.testing.assert_array_equal(actual.data.compute(), expected)
    with pytest.raises(SettingError, match="no channel 3"):
        apply_filters(image, [("channels", {"indices": (3,)})])


def test_further_data_by_name(stack, tmp_path, capsys):
    source, marks = tmp_path / "stack.tif", tmp_path / "marks"
    write(stack, source)
    marked = np.zeros(stack.shape, np.uint8)
    marked[0, 0, 0], marked[3, 11, 14] = 1, 2
    marks.mkdir()
    write(Image(marked, "ZYX"), marks / "stack.npy")  # a folder of equal names, without a spacing
    arguments = ["segment", "watershed", str(source), "-o", str(tmp_path / "out.tif")]
    assert main([*arguments, "--data", f"markers={marks}"]) == 0
    expected = segment(stack, "watershed", markers=marked)
    assert np.array_equal(read_labels(tmp_path / "out.tif"), expected)
    for given, message in (("markers", "Cannot read"), ("seeds=a.tif", "takes no 'seeds'")):
        assert main([*arguments, "--data", given]) == 2
        assert message in capsys.readouterr().err
