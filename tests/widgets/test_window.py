"""A real window: press the buttons, look at the layers."""

import json
import os
import re
import sys
import time

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt
from qtpy.QtWidgets import QApplication

from napari_segment import api, samples
from napari_segment.api.scripts import as_python
from napari_segment.cli import main
from napari_segment.image import Image, Labels
from napari_segment.recipe import Recipe
from napari_segment.widgets.layers import copying
from napari_segment.widgets.layers.conversion import stack_layer

pytestmark = pytest.mark.screen

WAIT = 400_000


@pytest.fixture
def stack():
    rng = np.random.default_rng(1)
    return rng.integers(0, 4000, (4, 40, 50)).astype(np.uint16)


def open_dock(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-segment", name)[1]


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def run(qtbot, dock, timeout=WAIT):
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=timeout)
    return dock.running.message.text()


def assert_done(text):
    assert re.search(r", [0-9.]+ (s|min)\.$", text), text


def add_stack(viewer, stack):
    affine = np.eye(4)
    affine[:3, 3] = (5, 6, 7)
    return viewer.add_image(
        stack, name="stack", rgb=False, scale=(2, 0.5, 0.5), translate=(1, 2, 3), affine=affine,
        units=("um", "um", "um"), axis_labels=("z", "y", "x"),
    )  # fmt: skip


def test_threshold_gives_labels_on_the_image(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    assert dock.method.name == "otsu"
    assert_done(run(qtbot, dock))
    labels = viewer.layers[-1]
    assert labels.name == "stack Otsu threshold"
    assert labels._type_string == "labels"
    for name in ("scale", "translate", "rotate", "shear"):
        np.testing.assert_allclose(getattr(labels, name), getattr(image, name))
    np.testing.assert_allclose(labels.affine.affine_matrix, image.affine.affine_matrix)
    assert labels.units == image.units
    assert labels.axis_labels == image.axis_labels
    np.testing.assert_array_equal(labels.data, api.segment(stack, "otsu").data)
    dock.method.name = "li"
    dock.recipes.take()
    assert dock.method.name == "otsu"
    press(qtbot, dock.undo_button)
    assert labels not in viewer.layers
    assert not dock.undo_button.isEnabled()


def test_undo_passes_over_what_is_gone(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    runs = []
    for _ in range(3):
        assert_done(run(qtbot, dock))
        runs.append(viewer.layers[-1])
    runs[1].name = "mine"
    viewer.layers.remove(runs[2])
    press(qtbot, dock.undo_button)
    assert list(viewer.layers) == [image, runs[0]]
    assert viewer.layers.selection.active is image
    viewer.layers.remove(runs[0])
    assert not dock.undo_button.isEnabled()


def test_recipe_gives_the_same_through_every_interface(qtbot, viewer, stack, tmp_path):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.filters.add(("gaussian", {"sigma": 0.5}))
    dock.cleanups.add(("remove_small", {"min_size": 3}))
    dock.recipes.save(tmp_path / "recipe.yaml")
    assert_done(run(qtbot, dock))
    shown = np.asarray(viewer.layers[-1].data)
    recorded = viewer.layers[-1].metadata["napari-segment"]["recipe"]
    assert Recipe.model_validate(recorded) == Recipe.load(tmp_path / "recipe.yaml")
    image = Image(stack, spacing=(2, 0.5, 0.5), unit="micrometer")
    np.testing.assert_array_equal(api.replay(tmp_path / "recipe.yaml", image).data, shown)
    source, out = tmp_path / "stack.ome.tif", tmp_path / "labels.ome.tif"
    api.write(image, source)
    assert main(["replay", str(tmp_path / "recipe.yaml"), str(source), "-o", str(out)]) == 0
    np.testing.assert_array_equal(np.asarray(api.read(out).data), shown)


def test_recipe_fills_the_form(qtbot, viewer, stack, tmp_path):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    recipe = api.recipe_of("li", filters=["median"], cleanups=["fill_holes"], apply_to="plane")
    recipe.save(tmp_path / "recipe.yaml")
    dock.recipes.load(tmp_path / "recipe.yaml")
    assert dock.recipe() == recipe
    api.recipe_of("canny").save(tmp_path / "edges.yaml")
    dock.recipes.load(tmp_path / "edges.yaml")
    assert "another widget" in dock.running.message.text()


def test_preview_follows_the_slider_and_the_mouse(qtbot, viewer, stack):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    whole = api.segment(stack, "otsu").data
    plane = viewer.layers["preview"]
    assert plane.data.shape == (1, 40, 50)
    viewer.dims.set_current_step(0, 3)
    qtbot.waitUntil(lambda: np.array_equal(plane.data[0], whole[3]), timeout=WAIT)
    np.testing.assert_allclose(
        plane.data_to_world([0, 0, 0]), viewer.layers["stack"].data_to_world([3, 0, 0])
    )
    view = dock.live.histogram
    (value,) = view.thresholds
    start = QPoint(round(view._position(value)), 20)
    end = QPoint(round(view._position(3000)), 20)
    qtbot.mousePress(view, Qt.MouseButton.LeftButton, pos=start)
    qtbot.mouseMove(view, end)
    qtbot.mouseRelease(view, Qt.MouseButton.LeftButton, pos=end)
    assert dock.method.name == "manual"
    dragged = dock.method.value.settings["value"]
    assert abs(dragged - 3000) < 20
    qtbot.waitUntil(lambda: np.array_equal(plane.data[0] > 0, stack[3] > dragged), timeout=WAIT)
    dock.live.box.setChecked(False)
    assert "preview" not in viewer.layers


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


def test_work_is_cancelled(qtbot, viewer, stack, fresh_processes, patient):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1000})
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: "step" in dock.running.message.text(), timeout=WAIT)
    assert not dock.running.button.isEnabled()
    ticks = longest_pause(qtbot, seconds=1.0)
    press(qtbot, dock.running.cancel_button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=5000)
    assert dock.running.message.text() == "Cancelled."
    assert len(viewer.layers) == 1
    assert ticks < 3  # of a job of 50 s; 0.05 on an idle machine
    dock.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, dock))


def test_closing_the_dock_takes_its_preview_along(qtbot, viewer, stack):
    image = add_stack(viewer, stack)
    dock = open_dock(viewer, "Threshold")
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    frame = dock.parentWidget()
    while not hasattr(frame, "toggleViewAction"):
        frame = frame.parentWidget()
    frame.hide()  # as the menu does
    qtbot.waitUntil(lambda: list(viewer.layers) == [image], timeout=5000)
    frame.show()
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: list(viewer.layers) == [image], timeout=5000)
    viewer.dims.set_current_step(0, 3)
    qtbot.wait(300)
    assert list(viewer.layers) == [image]


def test_closing_the_dock_ends_its_work(qtbot, viewer, stack, fresh_processes, patient):
    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1000})
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: "step" in dock.running.message.text(), timeout=WAIT)
    viewer.window.remove_dock_widget(dock)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=5000)
    assert len(viewer.layers) == 1
    again = open_dock(viewer, "Edges")
    again.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, again))


def test_crash_is_reported_and_the_next_run_works(qtbot, viewer, stack, fresh_processes, patient):
    from napari.utils.notifications import notification_manager

    add_stack(viewer, stack)
    dock = open_dock(viewer, "Edges")
    dock.method.value = (patient, {"steps": 1, "end": "abort"})
    assert "ended by itself" in run(qtbot, dock)
    assert any("ended by itself" in n.message for n in notification_manager.records)
    dock.method.value = (patient, {"steps": 1})
    assert_done(run(qtbot, dock))
    assert len(viewer.layers) == 2


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


def test_measure_and_compare(qtbot, viewer, tmp_path):
    image, truth = samples.nuclei((96, 96))
    viewer.add_layer(layer_of(image))
    layer = viewer.add_layer(layer_of(truth))
    other = viewer.add_labels(np.asarray(truth.data), name="same", scale=truth.spacing)
    dock = open_dock(viewer, "Measure")
    dock.labels.layer = layer
    run(qtbot, dock)
    expected = api.measure(truth)
    assert len(dock.table) == len(expected)
    assert layer.features["index"].tolist() == list(range(int(expected["label"].max()) + 1))
    dock.save(tmp_path / "table.csv")
    assert "label" in (tmp_path / "table.csv").read_text().splitlines()[0]
    dock = open_dock(viewer, "Compare")
    dock.result.layer, dock.reference.layer = layer, other
    run(qtbot, dock)
    assert dock.scores
    assert dock.report.text() == str(api.compare(truth, truth))
    dock.ignore_index.setText("1")
    run(qtbot, dock)
    assert dock.report.text() == str(api.compare(truth, truth, ignore_index=1))
    assert "without annotation" in dock.report.text()


def test_clusters_of_colours(qtbot, viewer):
    image, _ = samples.stained_tissue((48, 56))
    viewer.add_layer(layer_of(image))
    dock = open_dock(viewer, "Clusters")
    assert dock.method.name == "kmeans"
    dock.method.form.settings = {"clusters": 3, "seed": 4}
    dock.live.box.setChecked(True)
    qtbot.waitUntil(lambda: "preview" in viewer.layers, timeout=WAIT)
    assert viewer.layers["preview"].data.shape == (48, 56)
    assert_done(run(qtbot, dock))
    expected = api.segment(image, "kmeans", clusters=3, seed=4)
    np.testing.assert_array_equal(viewer.layers[-1].data, expected.data)
    assert "preview" not in viewer.layers


def test_clusters_of_channels(qtbot, viewer, stack):
    viewer.add_image(stack, axis_labels=("c", "y", "x"), rgb=False)
    dock = open_dock(viewer, "Clusters")
    assert dock.recipe().channel == "auto"  # all are taken
    assert_done(run(qtbot, dock))
    expected = api.segment(stack, "kmeans", axes="CYX")
    np.testing.assert_array_equal(viewer.layers[-1].data, expected.data)
    dock.method.name = "levels"
    assert dock.recipe().channel == 0


@pytest.fixture
def training(viewer, tmp_path):
    """The Train dock with three small pairs and a small network."""
    for seed in range(3):
        image, truth = samples.nuclei((64, 64), seed=seed)
        mask = samples.as_mask(truth).replace(name=f"mask {seed}")
        viewer.add_layer(layer_of(image.replace(name=f"nuclei {seed}")))
        viewer.add_layer(layer_of(mask))
    dock = open_dock(viewer, "Train")
    dock.pairs.add_row()
    dock.pairs.add_row()
    model = {"name": "unet", "settings": {"features": (4, 8)}}
    dock.form.settings = {"epochs": 100, "out": tmp_path / "net", "model": model, "device": "cpu"}
    dock.more.settings = {"steps": 3, "patch": (32, 32), "batch": 2, "workers": 0}
    return dock


def epochs_of(folder):
    return len((folder / "curves.csv").read_text().splitlines()) - 1


@pytest.mark.slow
def test_a_training_is_stopped_and_goes_on(qtbot, training, tmp_path):
    folder = tmp_path / "net"
    assert not training.stop_button.isEnabled()
    press(qtbot, training.running.button)
    qtbot.waitUntil(lambda: "dice" in training.scores.points, timeout=WAIT)
    press(qtbot, training.stop_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert "The network is in" in training.running.message.text()
    assert not training.stop_button.isEnabled()
    done = epochs_of(folder)
    assert 1 <= done < 100
    training.form.settings = {"resume": True, "epochs": done + 2}
    assert "The network is in" in run(qtbot, training)
    assert epochs_of(folder) == done + 2


@pytest.mark.slow
def test_a_training_is_cancelled(qtbot, training, tmp_path):
    press(qtbot, training.running.button)
    qtbot.waitUntil(lambda: "loss" in training.losses.points, timeout=WAIT)
    press(qtbot, training.running.cancel_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert training.running.message.text() == "Cancelled."
    assert training.running.button.isEnabled()
    assert not training.stop_button.isEnabled()


@pytest.mark.slow
def test_a_look_before_training_then_a_network_for_each_fold(qtbot, viewer, training, tmp_path):
    press(qtbot, training.augment_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert training.sheets["augmentation"].isVisible()
    press(qtbot, training.network_button)
    qtbot.waitUntil(lambda: training.running.job is None, timeout=WAIT)
    assert "parameters" in training.running.message.text()
    assert training.sheets["network"].isVisible()
    assert training.losses.isHidden()  # nothing was trained yet
    training.cross_box.setChecked(True)
    training.form.settings = {"epochs": 1}
    training.more.settings = {"folds": 3}
    assert "The 3 networks reach on average" in run(qtbot, training)
    field = open_dock(viewer, "Predict").method.form.fields["checkpoint"]
    offered = [field.menu.itemData(i) for i in range(field.menu.count())]
    assert offered[:3] == [str(tmp_path / "net" / f"fold_{i}") for i in range(3)]
    for sheet in training.sheets.values():
        sheet.close()


@pytest.mark.slow
def test_train_then_predict(qtbot, viewer, tmp_path):
    torch_was_here = "torch" in sys.modules  # from tests before; the widgets never load it
    for seed in range(3):
        image, truth = samples.nuclei((64, 64), seed=seed)
        mask = Labels((truth.data > 0).astype(np.uint8), holds="mask", name=f"mask {seed}")
        viewer.add_layer(layer_of(image.replace(name=f"nuclei {seed}")))
        viewer.add_layer(layer_of(mask.replace(spacing=truth.spacing, unit=truth.unit)))
    dock = open_dock(viewer, "Train")
    dock.pairs.add_row()
    dock.pairs.add_row()
    model = {"name": "unet", "settings": {"features": (4, 8)}}
    dock.form.settings = {"epochs": 2, "out": tmp_path / "net", "model": model, "device": "cpu"}
    dock.more.settings = {"steps": 4, "patch": (32, 32), "batch": 2, "workers": 0}
    message = run(qtbot, dock)
    assert str(tmp_path / "net") in message
    assert len(dock.losses.points["loss"]) == 8
    assert dock.scores.points
    assert set(dock.pictures._labels) == {"image", "reference", "prediction"}
    assert json.loads((tmp_path / "net" / "model.json").read_text())
    predict = open_dock(viewer, "Predict")
    assert "unet" in predict.method.form.fields["checkpoint"].description.text()
    assert_done(run(qtbot, predict))
    labels = viewer.layers[-1]
    assert labels.data.shape == (64, 64)
    assert labels.units == viewer.layers["nuclei 0"].units
    recipe = labels.metadata["napari-segment"]["recipe"]
    assert recipe["method"]["settings"]["checkpoint"] == str(tmp_path / "net")
    assert os.getpid() != predict.running.process.pid
    assert torch_was_here or "torch" not in sys.modules


def layer_of(stack):
    from napari.layers import Layer

    return Layer.create(*stack_layer(stack))


def longest_pause(qtbot, seconds):
    """The longest time for which the window did not answer."""
    end, last, longest = time.monotonic() + seconds, time.monotonic(), 0.0
    while last < end:
        qtbot.wait(5)
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return longest


def test_the_results_of_the_demonstration_open(viewer, tmp_path):
    from napari_segment.widgets.layers.view import open_folder

    image, truth = samples.two_tissues(seed=1)
    api.write(image, tmp_path / "tissues.nii.gz")
    api.write(truth, tmp_path / "tissues_truth.nii.gz")
    open_folder(viewer, tmp_path)
    kinds = {layer.name: type(layer).__name__ for layer in viewer.layers}
    assert kinds == {"tissues": "Image", "tissues_truth": "Labels"}
    assert np.allclose(viewer.layers["tissues"].scale, viewer.layers["tissues_truth"].scale)


def test_a_run_says_how_many_objects_and_offers_to_number_the_pieces_of_a_mask(qtbot, viewer):
    plane = np.zeros((40, 50), np.uint8)
    plane[2:6, 2:6] = plane[20:30, 20:30] = plane[35:38, 40:48] = 200
    viewer.add_image(plane, name="three", axis_labels=("y", "x"))
    dock = open_dock(viewer, "Threshold")
    assert run(qtbot, dock).startswith("A mask of 3 pieces, 0.07 of all voxels, ")
    assert dock.running.suggestion.isVisible()
    press(qtbot, dock.running.suggestion)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=WAIT)
    assert dock.running.message.text().startswith("3 objects, ")
    assert not dock.running.suggestion.isVisible()
    assert viewer.layers[-1].data.max() == 3


def test_a_run_that_finds_nothing_says_why(qtbot, viewer):
    viewer.add_image(np.arange(20, dtype=np.uint8).reshape(4, 5), name="low")
    dock = open_dock(viewer, "Threshold")
    dock.method.value = ("manual", {"value": 812.0})
    said = run(qtbot, dock)
    assert "the threshold 812 is above every voxel (the largest is 19)" in said


def test_results_are_copied_as_python_as_a_command_and_as_recipes(qtbot, viewer, tmp_path):
    import tifffile

    file = tmp_path / "three.tif"
    tifffile.imwrite(file, np.eye(30, dtype=np.uint8) * 9)
    viewer.open(str(file), plugin="napari-segment")
    dock = open_dock(viewer, "Threshold")
    run(qtbot, dock)
    result, clipboard = viewer.layers[-1], QApplication.clipboard()
    copying.copy_as_python(result)
    scope = {}
    exec(clipboard.text(), scope)
    np.testing.assert_array_equal(scope["labels"].data, result.data)
    copying.copy_as_command(result)
    assert clipboard.text().startswith(f"napari-segment segment otsu {file} -o ")
    copying.copy_history(viewer)
    exec(clipboard.text(), scope)
    np.testing.assert_array_equal(scope["results"][result.name].data, result.data)
    dock.recipes.copy(as_python)
    assert str(file) in clipboard.text()
    clipboard.setText("before")
    copying.copy_as_python(viewer.layers[0])
    assert clipboard.text() == "before"
