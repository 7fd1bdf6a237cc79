"""Draft: the line, outline or points that are being drawn, over the picture."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from napari.viewer import Viewer

COLOR = (1.0, 0.85, 0.0, 1.0)
_ABOVE = 1_000_000  # the order of drawing: after all layers


class Draft:
    """What a gesture has drawn so far, shown in the canvas of a viewer.

    Parameters
    ----------
    viewer : napari Viewer
        Without a window nothing is shown.
    """

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer
        self._line: Any = None
        self._markers: Any = None

    def show(self, world: NDArray[np.float64], *, points: bool = False) -> None:
        """Show a path, or points, given in world coordinates along all axes of the viewer."""
        displayed = list(self.viewer.dims.displayed)
        if len(displayed) != 2 or not len(world):
            return
        scene = self._scene()
        if scene is None:
            return
        from vispy.scene.visuals import Line, Markers

        corners = world[:, displayed][:, ::-1].astype(np.float32)
        if self._line is None:
            self._line = Line(corners, color=COLOR, width=2, parent=scene)
            self._markers = Markers(parent=scene)
            for visual in (self._line, self._markers):
                visual.order = _ABOVE
                visual.set_gl_state(depth_test=False)
        self._line.visible, self._markers.visible = not points, points
        if points:
            self._markers.set_data(corners, face_color=COLOR, edge_width=0, size=10)
        else:
            self._line.set_data(corners)

    def hide(self) -> None:
        """Show nothing any more."""
        for visual in (self._line, self._markers):
            if visual is not None:
                visual.visible = False

    def _scene(self) -> Any:
        with suppress(AttributeError):  # no window, or a napari that holds its canvas elsewhere
            return self.viewer.window._qt_viewer.canvas.view.scene  # noqa: SLF001
        return None
