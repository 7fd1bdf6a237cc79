"""A dock that segments, in a window: press the buttons, look at the layers."""

import numpy as np
import pytest
from shared.windows import (
    WAIT,
    add_stack,
    assert_done,
    headless,
    layer_of,
    open_dock,
    press,
    result_of,
    run,
    undo,
)

from napari_segment import api, samples
from napari_segment.image import Image

pytestmark = pytest.mark.screen


def test_open_axes_are_asked_for(qtbot, viewer):
    viewer.add_image(np.zeros((2, 3, 20, 20), np.uint8), rgb=False)
    dock = open_dock(viewer, "Threshold")
    assert "dimensions" in run(qtbot, dock)
    dock.source.axes_menu.setCurrentIndex(dock.source.axes_menu.findData("TZYX"))
    assert dock.source.times == ()
    dock.source.first.setValue(1)
    assert dock.source.times == (1, 2)
    assert_done(run(qtbot, dock))
    assert viewer.layers[-1].data.shape == (1, 3, 20, 20)
    np.testing.assert_allclose(viewer.layers[-1].translate, (1, 0, 0, 0))


def test_too_many_dimensions_are_reported(qtbot, viewer):
    dock = open_dock(viewer, "Threshold")
    assert run(qtbot, dock) == "There is no image layer. Open an image first."
    viewer.add_image(np.zeros((1, 1, 1, 2, 9, 9), np.uint8), rgb=False)
    assert "has 6 dimensions" in run(qtbot, dock)


def test_cubic_voxels_before_and_the_own_grid_after(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.filters.add("isotropic")
    dock.cleanups.add(("remove_small", {"min_size": 1}))
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    assert viewer.layers["preview"].data.shape == (1, 40, 50)
    assert_done(run(qtbot, dock))
    labels = viewer.layers[-1]
    given = Image(stack, spacing=(2, 0.5, 0.5), unit="micrometer")
    np.testing.assert_array_equal(labels.data, api.replay(dock.recipe(), given).data)
    assert labels.data.shape == stack.shape
    np.testing.assert_allclose(labels.scale, image.scale)
    np.testing.assert_allclose(labels.data_to_world([3, 9, 8]), image.data_to_world([3, 9, 8]))


def test_a_layer_removed_during_its_run(qtbot, viewer, stack, fresh_processes, patient):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 20})
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: "step" in dock.running.message.text(), timeout=WAIT)
    viewer.layers.remove(image)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert_done(dock.running.message.text())
    (labels,) = viewer.layers
    np.testing.assert_allclose(labels.scale, (2, 0.5, 0.5))
    assert run(qtbot, dock).startswith("There is no image layer")


@pytest.mark.parametrize("lazy", [False, True])
def test_multiscale_layers_are_segmented_at_full_size(qtbot, viewer, tmp_path, lazy):
    data = np.zeros((3, 64, 80), np.uint16)
    data[1:, 10:30, 20:60] = 900
    path = tmp_path / "stack.ome.zarr"
    api.write(Image(data, spacing=(2, 0.5, 0.5), unit="micrometer"), path)
    levels = [data, data[:, ::2, ::2]]
    if lazy:
        levels[0] = api.read(path, lazy=True).data
    viewer.add_image(levels, multiscale=True, rgb=False, scale=(2, 0.5, 0.5))
    dock = open_dock(viewer, "Threshold")
    dock.live.box.setChecked(True)
    viewer.dims.set_current_step(0, 1)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    assert_done(run(qtbot, dock))
    np.testing.assert_array_equal(viewer.layers[-1].data, data > 0)


def test_other_layers_leave_what_was_answered(qtbot, viewer):
    viewer.add_image(np.zeros((2, 3, 20, 20), np.uint8), rgb=False)
    dock = open_dock(viewer, "Threshold")
    dock.source.axes_menu.setCurrentIndex(dock.source.axes_menu.findData("CZYX"))
    dock.source.channel_menu.setCurrentIndex(1)
    viewer.add_labels(np.zeros((20, 20), np.uint8))
    viewer.layers.move(0, 2)
    assert (dock.source.axes, dock.source.channel) == ("CZYX", 1)
    viewer.add_image(np.zeros((2, 20, 20, 3), np.uint8), rgb=True, name="colour")
    dock.source.layers.layer = viewer.layers["colour"]
    offered = [dock.source.axes_menu.itemData(i) for i in range(dock.source.axes_menu.count())]
    assert offered == ["", "ZYX", "TYX"]


def test_channels_and_colours(qtbot, viewer):
    image, _ = samples.stained_tissue((64, 64))
    viewer.add_layer(layer_of(image))
    dock = open_dock(viewer, "Threshold")
    assert dock.source.channel == "auto"
    dock.source.channel_menu.setCurrentIndex(dock.source.channel_menu.findText("green"))
    assert_done(run(qtbot, dock))
    expected = api.segment(image, "otsu", channel="green").data
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)


def test_lazy_layers_give_labels_in_a_file(qtbot, viewer, stack):
    import dask.array as da

    viewer.add_image(da.from_array(stack, chunks=(1, 20, 50)), name="lazy", rgb=False)
    dock = open_dock(viewer, "Threshold")
    assert_done(run(qtbot, dock))
    labels = viewer.layers[-1].data
    assert isinstance(labels, np.memmap)
    np.testing.assert_array_equal(labels, api.segment(stack, "otsu").data)


def test_boxes_maps_and_planes_to_label(qtbot, viewer, stack, fresh_processes, patient):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Predict")
    assert not dock.next_button.isEnabled()
    dock.method.value = ("unsure", {})
    assert_done(run(qtbot, dock))
    doubt, labels, boxes = list(viewer.layers)[1:]
    assert [la._type_string for la in (doubt, labels, boxes)] == ["image", "labels", "shapes"]
    assert labels.features["class"][1] == "cell"
    assert boxes.text.values.tolist() == ["cell 0.75"]
    np.testing.assert_allclose(boxes.data[0][0], (1, 1.5, 2.5))
    np.testing.assert_allclose(doubt.scale, image.scale)
    press(qtbot, dock.next_button)
    assert round(image.world_to_data(viewer.dims.point)[0]) == 2
    assert "to label" in dock.running.message.text()
    press(qtbot, dock.undo_button)
    assert list(viewer.layers) == [image]


def test_markers_from_points(qtbot, viewer):
    image, truth = samples.nuclei((96, 96))
    viewer.add_layer(layer_of(image))
    dock = open_dock(viewer, "Edges")
    with_markers = [e for e in dock.method.entries.values() if "markers" in e.data]
    if not with_markers:
        pytest.skip("no method takes markers")
    numbers = np.unique(truth.data)[1:]
    centres = [np.argwhere(truth.data == n).mean(axis=0) for n in numbers]
    viewer.add_points(centres, scale=image.spacing, units=("um", "um"))
    dock.method.name = with_markers[0].name
    dock.extra["markers"].setCurrentIndex(1)
    marks = dock.further_data()["markers"]
    assert sorted(np.unique(marks.data)[1:]) == list(range(1, len(centres) + 1))
    for number, centre in enumerate(centres, 1):
        np.testing.assert_allclose(np.argwhere(marks.data == number)[0], np.rint(centre))


@pytest.mark.parametrize("kind", ["points", "labels"])
@pytest.mark.parametrize("method", ["watershed", "random_walker"])
def test_markers_by_hand(qtbot, viewer, tmp_path, method, kind):
    image, truth = samples.cells((8, 40, 40), seed=1)
    numbers = np.unique(truth.data)[1:4]
    centres = [np.rint(np.argwhere(truth.data == n).mean(0)).astype(int) for n in numbers]
    centres.append(np.array([0, 0, 0]))
    marks = np.zeros(image.shape, np.uint8)
    for number, centre in enumerate(centres, 1):
        marks[tuple(centre)] = number
    geometry = {"scale": image.spacing, "units": ("um",) * 3, "axis_labels": ("z", "y", "x")}
    viewer.add_image(image.data, name="cells", rgb=False, **geometry)
    if kind == "points":
        layer = viewer.add_points(ndim=3, name="marks", **geometry)
        for centre in centres:
            layer.add(centre + 0.3)  # anywhere in the voxel
    else:
        layer = viewer.add_labels(np.zeros(image.shape, np.uint8), name="marks", **geometry)
        layer.brush_size = 1
        for number, centre in enumerate(centres, 1):
            layer.selected_label = number
            layer.paint(centre, number)
    dock = open_dock(viewer, "Edges")
    dock.method.name = method
    dock.extra["markers"].layer = layer
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "no preview" in dock.running.message.text(), timeout=WAIT)
    assert "preview" not in viewer.layers
    labels = result_of(qtbot, dock)
    given = Image(image.data, "ZYX", image.spacing, unit="micrometer")
    expected = api.segment(given, method, markers=marks).data
    np.testing.assert_array_equal(labels.data, expected)
    assert set(np.unique(labels.data)) == {1, 2, 3, 4}
    np.testing.assert_allclose(labels.scale, image.spacing)
    api.write(given.replace(data=marks), tmp_path / "marks.ome.tif")
    options = ["--data", f"markers={tmp_path / 'marks.ome.tif'}"]
    np.testing.assert_array_equal(headless(dock, given, tmp_path, *options), expected)
    undo(qtbot, dock)
    assert list(viewer.layers) == [viewer.layers["cells"], layer]


def test_channel_times_and_planes_are_chosen_and_replayed(qtbot, viewer, bright_stack, tmp_path):
    film = np.stack(
        [np.stack([bright_stack[::-1], bright_stack]), np.stack([bright_stack, bright_stack // 2])]
    )
    film = np.concatenate([film, film[:1]])  # TCZYX
    geometry = {"axis_labels": tuple("tczyx"), "scale": (5, 1, 2, 0.5, 0.5)}
    viewer.add_image(
        film, name="film", rgb=False, **geometry, units=("s", "pixel", "um", "um", "um")
    )
    dock = open_dock(viewer, "Threshold")
    image = Image(film, "TCZYX", (2, 0.5, 0.5), unit="micrometer", interval=5)
    dock.source.channel_menu.setCurrentIndex(1)
    dock.source.first.setValue(1)
    for apply_to, text in (("plane", "each plane (2-D)"), ("volume", "each volume (3-D)")):
        dock.source.per_menu.setCurrentIndex(dock.source.per_menu.findText(text))
        labels = result_of(qtbot, dock)
        expected = api.segment(image, "otsu", channel=1, times=(1, 3), apply_to=apply_to).data
        assert labels.data.shape == (2, 1, 4, 40, 50)
        np.testing.assert_array_equal(labels.data[:, 0], expected)
        np.testing.assert_allclose(labels.translate[:2], (5, 1))
        np.testing.assert_array_equal(headless(dock, image, tmp_path), expected)
        undo(qtbot, dock)
    assert not dock.undo_button.isEnabled()
    fresh = open_dock(viewer, "Edges")
    api.recipe_of("sobel", channel=1, times=(0, 2), apply_to="plane").save(tmp_path / "sobel.yaml")
    fresh.recipes.load(tmp_path / "sobel.yaml")
    assert (fresh.source.channel, fresh.source.times, fresh.source.apply_to) == (1, (0, 2), "plane")
    expected = api.replay(tmp_path / "sobel.yaml", image).data
    np.testing.assert_array_equal(result_of(qtbot, fresh).data[:, 0], expected)
