"""Surfaces of objects in the window lie on their labels."""

import numpy as np
import pytest

from napari_segment.widgets.docks.surfaces import add_surfaces

pytestmark = pytest.mark.screen


@pytest.mark.parametrize("frames", [0, 2])
def test_surfaces_lie_on_the_labels(qtbot, viewer, frames):
    data = np.zeros((8, 10, 12), np.uint8)
    data[2:5, 3:7, 4:9], data[6, 8, 10] = 1, 2
    data = np.stack([data] * frames) if frames else data
    scale = (*[1.0] * bool(frames), 2.0, 1.0, 0.5)
    labels = viewer.add_labels(data, scale=scale, translate=(*[0.0] * bool(frames), 5, 6, 7))
    add_surfaces(viewer)
    qtbot.waitUntil(lambda: len(viewer.layers) == 2, timeout=20_000)
    surface = viewer.layers[-1]
    assert surface.name == f"{labels.name} surfaces"
    space = surface.extent.world[:, -3:]
    assert np.allclose(space[0], np.array([1.5, 2.5, 3.5]) * scale[-3:] + (5, 6, 7))
    assert np.allclose(space[1], np.array([6.5, 8.5, 10.5]) * scale[-3:] + (5, 6, 7))
    if frames:
        assert set(surface.data[0][:, 0]) == {0, 1}
    colors = {tuple(c) for c in np.round(surface.vertex_colors, 4).tolist()}
    assert colors == {tuple(np.round(labels.get_color(i), 4).tolist()) for i in (1, 2)}


def test_what_has_no_surface_is_said(qtbot, viewer, recwarn):
    add_surfaces(viewer)
    viewer.add_labels(np.ones((5, 5), np.uint8))
    add_surfaces(viewer)
    qtbot.wait(300)
    assert len(viewer.layers) == 1
