"""Gestures on a Labels layer: what a tool was pointed at, as an edit."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from napari_segment.errors import InputError
from napari_segment.recipe import Edit
from napari_segment.widgets.docks.correct.draft import Draft
from napari_segment.widgets.docks.correct.tools import Tool
from napari_segment.widgets.layers.conversion import in_units

if TYPE_CHECKING:
    from napari.layers import Labels as LabelsLayer
    from napari.utils.events import Event
    from napari.viewer import Viewer

Path = NDArray[np.float64]  # positions (N, D) in voxels of the layer
_SIMPLE = 0.5  # voxels: vertices of an outline that deviate less are left out


class Gestures:
    """What mouse and keys do on a layer while a tool is chosen.

    Parameters
    ----------
    viewer : napari Viewer
        In which the layer is.
    layer : napari Labels layer
        That is edited.
    axes : str
        Its axes.
    made : callable
        Called with each edit.
    say : callable
        Called with each message.
    """

    def __init__(
        self,
        viewer: Viewer,
        layer: LabelsLayer,
        axes: str,
        made: Callable[[Edit], None],
        say: Callable[[str], None],
    ) -> None:
        self.viewer, self.layer, self.axes = viewer, layer, axes
        self.made, self.say = made, say
        self.draft = Draft(viewer)
        self.tool: Tool | None = None
        self.settings: Callable[[], Mapping[str, Any]] = dict
        self.one_plane: Callable[[], bool] = lambda: False
        self.all_times: Callable[[], bool] = lambda: False
        self.points: list[NDArray[np.float64]] = []
        self._world: list[NDArray[np.float64]] = []
        self.first = 0  # the first object of a pair
        layer.mouse_drag_callbacks.append(self._drag)

    def close(self) -> None:
        """Leave the layer's mouse to napari."""
        self.choose(None)
        if self._drag in self.layer.mouse_drag_callbacks:
            self.layer.mouse_drag_callbacks.remove(self._drag)

    def choose(self, tool: Tool | None) -> None:
        """Take another tool, or none."""
        self.forget()
        self.tool = tool
        if tool is not None:
            self.layer.mode = "pan_zoom"
        self.layer.mouse_pan = tool is None and self.layer.mode == "pan_zoom"

    def forget(self) -> None:
        """Forget the points and the first object that were clicked."""
        self.points, self._world, self.first = [], [], 0
        self.draft.hide()

    def finish(self) -> None:
        """Split between the points that were clicked."""
        if self.tool is None or self.tool.gesture != "points":
            return
        points, tool = self.points, self.tool
        self.forget()
        if not points:
            self.say("Click a point in each wanted piece first.")
            return
        at = self._at(tool)
        inner = [i for i, axis in enumerate(self.axes) if axis not in at]
        number = self.number_at(points[0])
        coordinates = [[float(p[i]) for i in inner] for p in points]
        self._make(tool, at, {"number": number, "points": coordinates})

    # ---- where ----

    def position(self, world: ArrayLike) -> NDArray[np.float64]:
        """Return a position of the viewer in voxels of the layer."""
        point = np.asarray(world, float)[-self.layer.ndim :]
        units = self.viewer.layers.units
        if units is not None:
            point = in_units(point, units[-self.layer.ndim :], self.layer.units)
        return np.asarray(self.layer.world_to_data(point), float)

    def number_at(self, position: NDArray[np.float64]) -> int:
        """Return the number in a voxel; 0 outside."""
        voxel = np.rint(position).astype(int)
        if (voxel < 0).any() or (voxel >= self.layer.data.shape).any():
            return 0
        return int(np.asarray(self.layer.data[tuple(slice(v, v + 1) for v in voxel)]).item())

    def shown(self) -> dict[str, int]:
        """Return the position along each axis that is not displayed."""
        displayed = self.viewer.dims.displayed
        offset = self.viewer.dims.ndim - self.layer.ndim
        here = np.rint(self.position(self.viewer.dims.point)).astype(int)
        return {
            axis: int(np.clip(here[i], 0, self.layer.data.shape[i] - 1))
            for i, axis in enumerate(self.axes)
            if i + offset not in displayed
        }

    def _at(self, tool: Tool) -> dict[str, int]:
        """Return to what an edit is held: the time point in view, and the plane if asked for."""
        shown = self.shown()
        across = "planes" if tool.entry.group == "planes" else ""
        at = {}
        for axis, position in shown.items():
            if axis == "T":
                in_time = across and self._across(shown) == "T"
                if not in_time and not self.all_times():
                    at["T"] = position
            elif not across and (self.one_plane() or tool.edit == "new_object"):
                at[axis] = position
        return at

    def _across(self, shown: Mapping[str, int]) -> str:
        """Return the axis from plane to plane: the spatial one that is not displayed, or time."""
        spatial = [axis for axis in shown if axis != "T"]
        if spatial:
            return spatial[0]
        if "T" in shown:
            return "T"
        raise InputError(
            "This tool goes from plane to plane: show single planes of a stack (2-D view)."
        )

    # ---- the mouse ----

    def _drag(self, layer: LabelsLayer, event: Event) -> Generator[None, None, None]:
        tool = self.tool
        if tool is None or event.button != 1 or layer.mode != "pan_zoom":
            return
        world = [np.asarray(event.position, float)]
        ray = self._picked(event)
        yield
        while event.type == "mouse_move":
            world.append(np.asarray(event.position, float))
            if tool.gesture in ("line", "outline", "pair"):
                ends = [world[0], world[-1]] if tool.gesture == "line" else world
                self.draft.show(np.array(ends))
            yield
        world.append(
            np.asarray(event.position, float)
        )  # napari leaves out moves in quick succession
        if tool.gesture != "points":
            self.draft.hide()
        try:
            self._done(tool, world, ray)
        except InputError as error:
            self.say(str(error))

    def _picked(self, event: Event) -> int:
        """Return the number under the mouse, in the 2-D and in the 3-D view."""
        if len(event.dims_displayed) == 2:
            return self.number_at(self.position(event.position))
        value = self.layer.get_value(
            event.position, view_direction=event.view_direction,
            dims_displayed=event.dims_displayed, world=True,
        )  # fmt: skip
        return int(value) if isinstance(value, int | np.integer) else 0

    def _done(self, tool: Tool, world: list[NDArray[np.float64]], number: int) -> None:
        """Make the edit of a gesture that has ended."""
        path = np.array([self.position(point) for point in world])
        if tool.gesture in ("line", "outline", "points") and len(self.viewer.dims.displayed) != 2:
            raise InputError("Drawing needs the 2-D view: press the button with the square.")
        if tool.gesture == "click":
            self._click(tool, number)
        elif tool.gesture == "pair":
            self._pair(tool, path, number)
        elif tool.gesture == "points":
            self._point(path[-1], world[-1])
        else:
            self._drawn(tool, path)

    def _click(self, tool: Tool, number: int) -> None:
        fields = tool.entry.settings.model_fields
        takes_all = "numbers" in fields and not fields["numbers"].is_required()
        if not number and not takes_all:
            raise InputError("There is no object under the mouse.")
        shown = self.shown()
        given: dict[str, Any] = {}
        numbers = (number,) if number else ()
        given |= {"number": number} if "number" in fields else {"numbers": numbers}
        if tool.entry.group == "planes":
            axis = self._across(shown)
            given["axis"] = axis
            given |= {"plane": shown[axis]} if "plane" in fields else {}
            if tool.edit == "copy_plane":
                given["to"] = shown[axis] + 1
        self._make(tool, self._at(tool), given)
        if tool.edit == "copy_plane":
            step = self.viewer.dims.ndim - self.layer.ndim + self.axes.index(axis)
            self.viewer.dims.set_current_step(step, self.viewer.dims.current_step[step] + 1)

    def _pair(self, tool: Tool, path: Path, number: int) -> None:
        """Take the objects that were dragged across, or one more that was clicked."""
        met = dict.fromkeys(n for n in map(self.number_at, _dense(path)) if n)
        if len(met) < 2:
            if not number:
                raise InputError("There is no object under the mouse.")
            if not self.first or self.first == number:
                self.first = number
                self.say(f"Object {number}. Now click the other one.")
                return
            met = dict.fromkeys((self.first, number))
        self.first = 0
        numbers = tuple(met) if tool.edit != "swap" else tuple(met)[:2]
        self._make(tool, self._at(tool), {"numbers": numbers})

    def _point(self, position: NDArray[np.float64], world: NDArray[np.float64]) -> None:
        if not self.number_at(position):
            raise InputError("There is no object under the mouse.")
        self.points.append(position)
        self._world.append(world)
        self.draft.show(np.array(self._world), points=True)
        self.say(f"{len(self.points)} points. Press Enter to split.")

    def _drawn(self, tool: Tool, path: Path) -> None:
        """Make the edit of a line or an outline."""
        offset = self.viewer.dims.ndim - self.layer.ndim
        displayed = sorted(d - offset for d in self.viewer.dims.displayed)
        flat = path[:, displayed]
        at, shown = self._at(tool), self.shown()
        given: dict[str, Any] = {}
        through = [axis for axis in shown if axis != "T" and axis not in at]
        if through and "axis" in tool.entry.settings.model_fields:
            given["axis"] = through[0]
        if tool.gesture == "line":
            ends = np.array([flat[0], flat[-1]])
            if np.abs(ends[1] - ends[0]).max() < 1:
                raise InputError("Drag a line across an object.")
            given |= {"line": _plain(ends), "number": self._crossed(path)}
        else:
            given["outline"] = _plain(_simplified(flat))
        self._make(tool, at, given)

    def _crossed(self, path: Path) -> int:
        """Return the object that a line lies in for most of its length."""
        numbers = [n for n in map(self.number_at, _dense(path[[0, -1]])) if n]
        if not numbers:
            raise InputError("The line crosses no object.")
        return max(set(numbers), key=numbers.count)

    def _make(self, tool: Tool, at: dict[str, int], given: Mapping[str, Any]) -> None:
        settings = {**self.settings(), **given}
        self.made(Edit(name=tool.edit, settings=settings, at=at))


def _dense(path: Path) -> Path:
    """Return a path with a position in every voxel that it goes through."""
    if len(path) < 2:
        return path
    parts = []
    for start, end in zip(path[:-1], path[1:], strict=True):  # noqa: RUF007 - rows of an array
        count = int(np.ceil(np.abs(end - start).max() * 2)) + 1
        parts.append(np.linspace(start, end, count))
    return np.concatenate(parts)


def _simplified(path: Path) -> Path:
    """Return an outline without the vertices that hardly deviate from their neighbours."""
    vertices = [path[0]]
    for vertex in path[1:]:
        if np.abs(vertex - vertices[-1]).max() >= _SIMPLE:
            vertices.append(vertex)
    return np.array(vertices)


def _plain(path: Path) -> list[list[float]]:
    """Return positions as numbers with a hundredth of a voxel."""
    return [[round(float(value), 2) for value in vertex] for vertex in path]
