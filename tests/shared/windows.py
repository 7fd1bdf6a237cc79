"""What tests of windows do: open a dock, press its buttons, wait for its work."""

import re

import numpy as np
from napari.layers import Layer
from qtpy.QtCore import Qt

from napari_segment import api, io
from napari_segment.cli import main
from napari_segment.widgets.layers.conversion import stack_layer

WAIT = 400_000  # milliseconds


def layer_of(stack):
    return Layer.create(*stack_layer(stack))


def open_dock(viewer, name):
    return viewer.window.add_plugin_dock_widget("napari-segment", name)[1]


def press(qtbot, button):
    assert button.isEnabled()
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def run(qtbot, dock, timeout=WAIT):
    """Press Run, wait for its end, and return the message."""
    press(qtbot, dock.running.button)
    qtbot.waitUntil(lambda: dock.running.job is None, timeout=timeout)
    return dock.running.message.text()


def assert_done(text):
    assert re.search(r", [0-9.]+ (s|min)\.$", text), text


def add_stack(viewer, stack):
    """A layer that is moved, scaled and named in each of its axes."""
    affine = np.eye(4)
    affine[:3, 3] = (5, 6, 7)
    return viewer.add_image(
        stack, name="stack", rgb=False, scale=(2, 0.5, 0.5), translate=(1, 2, 3), affine=affine,
        units=("um", "um", "um"), axis_labels=("z", "y", "x"),
    )  # fmt: skip


def result_of(qtbot, dock):
    """Press Run and return the layer that it adds."""
    message = run(qtbot, dock)
    assert message.endswith((" s.", " min."))
    return dock.viewer.layers[-1]


def undo(qtbot, dock):
    before = len(dock.viewer.layers)
    press(qtbot, dock.undo_button)
    assert len(dock.viewer.layers) == before - 1


def headless(dock, image, folder, *options):
    """The labels that the command line makes by the recipe that the dock saves."""
    dock.recipes.save(folder / "recipe.yaml")
    api.write(image, folder / "image.ome.tif")
    out = folder / "labels.ome.tif"
    arguments = ["replay", folder / "recipe.yaml", folder / "image.ome.tif", "-o", out, *options]
    assert main(list(map(str, arguments))) == 0
    return np.asarray(io.read_labels(out).data)
