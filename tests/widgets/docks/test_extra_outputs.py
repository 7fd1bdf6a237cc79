"""Filtered images and points on edges lie where their source lies."""

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image as ImageLayer
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_segment import api
from napari_segment.widgets.docks.extra_outputs import filtered_layers, points_layer
from napari_segment.widgets.layers.conversion import image_of, recipe_of_layer

WAIT = 400_000
RADIUS = 9.0
CENTRE = np.array([10.0, 12.2, 13.1])


def ball(spacing=(2.0, 1.0, 1.0)):
    grid = np.indices((11, 25, 27)) * np.reshape(spacing, (3, 1, 1, 1))
    away = np.sqrt(((grid - CENTRE[:, None, None, None]) ** 2).sum(0))
    return (np.clip(RADIUS + 0.5 - away, 0, 1) * 900).astype(np.uint16)


def layer_of(axes, data=None, **more):
    """A layer at a position of its own, with a ball at time 1 and in channel 1."""
    data = ball() if data is None else data
    for axis in axes[:-3]:
        data = np.stack([np.zeros_like(data), data, data]) if axis in "TC" else data
    scale = [{"T": 5.0, "C": 1.0, "Z": 2.0}.get(a, 1.0) for a in axes]
    units = ["second" if a == "T" else "pixel" if a == "C" else "um" for a in axes]
    return ImageLayer(
        data, name="ball", scale=scale, translate=np.arange(len(axes)) + 4.0, units=units,
        axis_labels=tuple(axes.lower()), rgb=False, **more,
    )  # fmt: skip


def points_of(layer, axes, **settings):
    canny = {name: value for name, value in settings.items() if name in ("sigma", "low", "high")}
    parts = {name: value for name, value in settings.items() if name not in canny}
    recipe = api.recipe_of(("canny", canny), **parts)
    image = image_of(layer, axes)
    table = api.edge_points(image, **settings)
    return Layer.create(*points_layer(table, image, layer, axes, recipe)), table


@pytest.mark.parametrize("axes", ["ZYX", "TZYX", "CZYX", "TCZYX"])
def test_points_lie_on_the_ball(axes):
    layer = layer_of(axes)
    settings = {"channel": 1} if "C" in axes else {}
    points, table = points_of(layer, axes, **settings)
    assert len(points.data) == len(table) > 100
    spatial = np.array([points.data_to_world(p) for p in points.data])[:, -3:]
    centre = np.array([layer.translate[-3:]]) + CENTRE
    distance = np.linalg.norm(spatial - centre, axis=1)
    assert np.sqrt(np.mean((distance - RADIUS) ** 2)) < 0.25
    np.testing.assert_allclose(spatial, table[["z", "y", "x"]])
    if "T" in axes:
        assert set(points.data[:, 0]) == {1, 2}
    if axes == "TCZYX":
        assert set(points.data[:, 1]) == {1}
    assert points.units[-1] == layer.units[-1]
    assert points.axis_labels[-3:] == ("z", "y", "x")
    assert recipe_of_layer(points).method.name == "canny"
    assert {"magnitude", "normal_z"} <= set(points.features)


def test_points_of_planes_and_of_a_range_of_times():
    film = np.stack([0 * ball(), 0 * ball(), ball()])
    points, _ = points_of(layer_of("ZYX", film[:, 5]), "TYX", times=(2, 3))
    assert set(points.data[:, 0]) == {2}
    points, _ = points_of(layer_of("YX", ball()[5]), "YX", sigma=1.0)
    assert points.ndim == 2
    distance = np.linalg.norm(points.data - CENTRE[1:], axis=1)
    assert abs(distance.mean() - RADIUS) < 0.1


def filtered_of(layer, axes, filters, method="otsu", **settings):
    recipe = api.recipe_of(method, filters=filters, **settings)
    image = image_of(layer, axes + "C" * layer.rgb)
    seen = api.apply_filters(image, recipe).canonical()
    spacing = dict(zip(image.spatial_axes, image.spacing, strict=True))
    layers = filtered_layers(seen, layer, axes, recipe, spacing)
    return [Layer.create(*data) for data in layers], seen


@pytest.mark.parametrize("axes", ["ZYX", "TZYX", "CZYX", "TCZYX"])
@pytest.mark.parametrize("name", ["median", "isotropic"])
def test_filtered_images_lie_on_their_source(axes, name):
    layer = layer_of(axes)
    settings = {"channel": 1} if "C" in axes else {}
    settings |= {"times": (1, 3)} if "T" in axes else {}
    (made,), seen = filtered_of(layer, axes, [name], **settings)
    np.testing.assert_array_equal(np.squeeze(made.data), np.squeeze(seen.data))
    assert made.ndim == len(axes.removeprefix("C"))
    assert made.scale[-3] == (2 if name == "median" else 1)
    last = np.array([*np.zeros(made.ndim - 3), 10 * 2 / made.scale[-3], 24, 26])
    expected = layer.data_to_world([*(np.array(["TC".find(a) == 0 or a == "C" for a in axes[:-3]])
                                      * 1.0), 10, 24, 26])  # fmt: skip
    np.testing.assert_allclose(made.data_to_world(last), expected[-made.ndim :])
    assert recipe_of_layer(made).filters[0].name == name


def test_filtered_colours_are_one_layer_each():
    colour = np.random.default_rng(0).integers(0, 255, (20, 30, 3)).astype(np.uint8)
    layer = ImageLayer(colour, rgb=True, name="colour", scale=(0.5, 0.5))
    layers, _ = filtered_of(layer, "YX", ["gaussian"], "kmeans")
    assert [la.name for la in layers] == [f"colour gaussian {c}" for c in ("red", "green", "blue")]
    assert [la.colormap.name for la in layers] == ["red", "green", "blue"]
    assert {la.blending for la in layers[1:]} == {"additive"}
    (grey,), _ = filtered_of(layer, "YX", ["gaussian"])
    assert grey.data.shape == (20, 30)
    np.testing.assert_allclose(grey.scale, (0.5, 0.5))
    many = ImageLayer(np.zeros((2, 3, 20, 30), np.uint8), rgb=False, name="many")
    (all_channels,), _ = filtered_of(many, "TCYX", ["median"], "kmeans")
    assert all_channels.data.shape == (2, 3, 20, 30)


def press(qtbot, dock, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert not button.isEnabled()
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    return dock.running.message.text()


@pytest.mark.screen
def test_buttons_add_points_and_the_filtered_image(qtbot, viewer, tmp_path):
    image = viewer.add_layer(layer_of("ZYX"))
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Edges")[1]
    assert dock.filtered_button.isHidden()
    dock.filters.add("isotropic")
    dock.filters.add(("gaussian", {"sigma": 0.8}))
    given = image_of(image)
    assert press(qtbot, dock, dock.filtered_button) == "Done."
    filtered = viewer.layers[-1]
    assert filtered.name == "ball isotropic gaussian"
    np.testing.assert_allclose(filtered.scale, (1, 1, 1))
    expected = api.apply_filters(given, ["isotropic", ("gaussian", {"sigma": 0.8})])
    np.testing.assert_array_equal(filtered.data, expected.data)
    table = api.edge_points(given, filters=["isotropic", ("gaussian", {"sigma": 0.8})])
    said = press(qtbot, dock, dock.points_button)
    points = viewer.layers[-1]
    assert said == f"Done: {len(table):,} points."
    world = [points.data_to_world(p) for p in points.data]
    np.testing.assert_allclose(world, table[["z", "y", "x"]])
    np.testing.assert_allclose(points.features["magnitude"], table["magnitude"])
    dock.filters.value = ()
    assert dock.filtered_button.isHidden()
    dock.recipes.take()  # the points are selected: they say how they were made
    assert [f.name for f in dock.recipe().filters] == ["isotropic", "gaussian"]
    qtbot.mouseClick(dock.undo_button, Qt.MouseButton.LeftButton)
    assert list(viewer.layers) == [image, filtered]
    qtbot.mouseClick(dock.undo_button, Qt.MouseButton.LeftButton)
    assert list(viewer.layers) == [image]
    dock.method.name = "sobel"
    assert dock.points_button.isHidden()


@pytest.mark.screen
def test_lazy_layers_are_filtered_into_a_file(qtbot, viewer):
    viewer.add_image(da.from_array(ball(), chunks=(4, 25, 27)), name="lazy", rgb=False)
    dock = viewer.window.add_plugin_dock_widget("napari-segment", "Edges")[1]
    dock.filters.add("median")
    assert press(qtbot, dock, dock.filtered_button) == "Done."
    assert isinstance(viewer.layers[-1].data, np.memmap)
    expected = api.apply_filters(ball(), ["median"]).data
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    press(qtbot, dock, dock.points_button)
    table = api.edge_points(ball(), filters=["median"])
    np.testing.assert_allclose(viewer.layers[-1].data, table[["z", "y", "x"]], atol=1e-6)
