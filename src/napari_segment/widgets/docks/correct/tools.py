"""The tools of the Correct dock: which edit each makes, by which gesture, with which key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from napari_segment.registry import Entry, edits

Gesture: TypeAlias = Literal["click", "pair", "line", "points", "outline"]

# Settings that gestures and the view give; the form asks for the others.
GIVEN = ("number", "numbers", "line", "points", "outline", "runs", "axis", "plane", "planes")
TITLES = {
    "landscape": "watershed of", "objects": "objects are", "distance": "distance",
    "to_edge": "to the image's edge", "sigma": "sigma", "new": "new number", "to": "to plane",
    "result": "becomes", "overwrite": "over others", "start": "from time point",
}  # fmt: skip


@dataclass(frozen=True)
class Tool:
    """One tool.

    Parameters
    ----------
    name : str
        Its own name.
    edit : str
        The edit that it makes.
    title : str
        On its button.
    gesture : {"click", "pair", "line", "points", "outline"}
        A click on an object, two objects (clicked or dragged across), a line that is dragged,
        points that are clicked and ended by Enter, an outline that is dragged.
    key : str
        That chooses it, while the layer is active.
    help : str
        One line on what to do.
    """

    name: str
    edit: str
    title: str
    gesture: Gesture
    key: str
    help: str

    @property
    def entry(self) -> Entry:
        """The edit."""
        return edits[self.edit]


TOOLS = (
    Tool("delete", "delete", "Delete", "click", "D", "Click an object: it is deleted."),
    Tool("merge", "merge", "Merge", "pair", "M",
         "Drag from one object across others, or click two: all get the number of the first."),
    Tool("split_line", "split", "Split: line", "line", "S",
         "Drag a line from one side of an object to the other."),
    Tool("split_points", "split", "Split: points", "points", "W",
         "Click a point in each wanted piece of an object, then press Enter."),
    Tool("cut", "cut", "Cut out", "outline", "C",
         "Drag around what is cut out of the objects below."),
    Tool("fill_holes", "fill_holes", "Fill holes", "click", "F",
         "Click an object: the holes in it are filled."),
    Tool("smooth", "smooth", "Smooth", "click", "O", "Click an object: its outline is smoothed."),
    Tool("grow", "grow", "Grow", "click", "G", "Click an object: it grows into the background."),
    Tool("shrink", "shrink", "Shrink", "click", "K", "Click an object: it shrinks."),
    Tool("new_object", "new_object", "New object", "outline", "N",
         "Drag around a new object; it gets the next free number."),
    Tool("relabel", "relabel", "Relabel", "click", "R",
         "Click an object: it gets the next free number, or the one that is set."),
    Tool("swap", "swap", "Swap", "pair", "X", "Click two objects: they swap their numbers."),
    Tool("interpolate", "interpolate", "Interpolate", "click", "I",
         "Click an object drawn in some planes: those between are filled. "
         "Background: all objects."),
    Tool("extend", "extend", "Extend", "click", "E",
         "Click an object: it is copied from this plane up to the one that is set."),
    Tool("copy_plane", "copy_plane", "Copy to next", "click", "V",
         "Click an object: it is copied to the next plane, which is then shown. "
         "Background: all objects."),
    Tool("accept", "accept", "Accept", "click", "A",
         "Click an object: the review has seen it."),
)  # fmt: skip


def further_tools() -> tuple[Tool, ...]:
    """Return a tool for each edit that third parties have added, by what its settings ask for."""
    own = {tool.edit for tool in TOOLS} | {"paint"}
    return tuple(
        Tool(name, name, entry.title, _gesture(entry), "", entry.help)
        for name, entry in edits.items()
        if name not in own and _gesture_or_none(entry) is not None
    )


def _gesture(entry: Entry) -> Gesture:
    gesture = _gesture_or_none(entry)
    return "click" if gesture is None else gesture


def _gesture_or_none(entry: Entry) -> Gesture | None:
    settings = entry.settings.model_fields
    gestures: tuple[tuple[str, Gesture], ...] = (
        ("line", "line"), ("outline", "outline"), ("points", "points"), ("number", "click"),
        ("numbers", "click"),
    )  # fmt: skip
    return next((gesture for name, gesture in gestures if name in settings), None)
