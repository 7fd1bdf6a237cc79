"""LayerEdits: the edits of one Labels layer, in place, in a journal, with what belongs to it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from psygnal import Signal

from napari_segment.api import EditSession
from napari_segment.errors import FormatError, InputError, SegmentError
from napari_segment.image import named_axes
from napari_segment.recipe import Edit, Recipe
from napari_segment.results.edits.checksum import as_text
from napari_segment.results.edits.history import History, Made
from napari_segment.results.edits.labels import EDITED, with_edits
from napari_segment.widgets.layers.conversion import KEY, image_of, known_axes, recipe_of_layer
from napari_segment.widgets.layers.label_numbers import recorded_holds
from napari_segment.widgets.layers.refresh import refresh_boxes
from napari_segment.widgets.layers.strokes import edits_of_stroke

if TYPE_CHECKING:
    import pandas as pd
    from napari.layers import Image as ImageLayer
    from napari.layers import Labels as LabelsLayer
    from napari.utils.events import Event

_AXES = {2: "YX", 3: "ZYX", 4: "TZYX"}
UNDO, REDO = "Control-Z", "Control-Shift-Z"


class LayerEdits:
    """Edits made on the data of a Labels layer, by tools and by napari's brush.

    While it is open, Ctrl+Z and Ctrl+Shift+Z in the layer undo and redo its steps.

    Parameters
    ----------
    layer : napari Labels layer
        Of one resolution, in memory or in a zarr array.
    journal : Path
        Where its edits are written.
    checksum : int, optional
        Of the layer's data, where it is known.

    Raises
    ------
    InputError
        If the layer cannot be edited.
    FormatError, SettingError
        If the journal cannot be used.
    """

    stepped = Signal(str, object)  # "edit", "undo" or "redo", and what it was
    failed = Signal(str)
    lost = Signal(str)  # the layer's data are others now

    def __init__(
        self, layer: LabelsLayer, journal: Path | None, checksum: int | None = None
    ) -> None:
        self.layer = layer
        self.axes = axes_of(layer)
        self._own = False  # whether a change of the layer's data is ours
        spacing = [
            s for a, s in zip(self.axes, np.abs(layer.scale).tolist(), strict=True) if a != "T"
        ]
        history = _history(layer, self.axes, spacing)
        history.know(checksum)
        self.session = EditSession(history, journal, name=layer.name)
        self._features: pd.DataFrame = layer.features.copy()
        self._measured = 0  # edits that were made when the features were set
        self._recipe = _recipe_before(layer, self.session.edits)
        self._holds = recorded_holds(layer)
        self._base = self.session.history.base_checksum
        if self.session.resumed:
            self._put_data()
            layer.refresh()
            self._follow()
        layer.events.paint.connect(self._painted)
        layer.events.data.connect(self._replaced)
        layer.events.features.connect(self._remeasured)
        layer.bind_key(UNDO, lambda _: self.undo(), overwrite=True)
        layer.bind_key(REDO, lambda _: self.redo(), overwrite=True)

    def see(self, image: ImageLayer | None, channel: int | str = "auto") -> None:
        """Take the layer that edits look at.

        Raises
        ------
        InputError
            If it has several channels of which none is chosen, or another shape.
        """
        if image is None:
            self.session.history.see(None)
            return
        from napari_segment.engine.selection import single_channel

        stack = single_channel(image_of(image, _axes_like(image, self.axes)), channel)
        self.session.history.see(stack.data)

    def make(self, edit: Edit) -> Made:
        """Make an edit and show it."""
        made = self.session.make(edit)
        self._stepped("edit", made)
        return made

    def undo(self) -> None:
        """Undo the last step, of whatever kind."""
        self._step("undo")

    def redo(self) -> None:
        """Make the step again that was undone last."""
        self._step("redo")

    def close(self) -> None:
        """Leave the layer to napari again, as it is."""
        self.layer.events.paint.disconnect(self._painted)
        self.layer.events.data.disconnect(self._replaced)
        self.layer.events.features.disconnect(self._remeasured)
        for key in (UNDO, REDO):
            self.layer.bind_key(key, None, overwrite=True)
        self.session.close()

    # ---- what happens ----

    def _step(self, kind: str) -> None:
        try:
            made = self.session.undo() if kind == "undo" else self.session.redo()
        except SegmentError as error:
            self.failed.emit(str(error))
            return
        if made is None:
            self.failed.emit(f"There is nothing to {kind}.")
        else:
            self._stepped(kind, made)

    def _stepped(self, kind: str, made: Made) -> None:
        if self.session.history.labels is not self.layer.data:
            self._put_data()
        refresh_boxes(self.layer, made.boxes)
        self._follow()
        self.stepped.emit(kind, made)

    def _painted(self, event: Event) -> None:
        """Record what napari paints; its own history would undo it a second time.

        A stroke of the mouse is in the data when napari says so, other painting comes after.
        """
        labels = self.session.history.labels
        for edit, change in edits_of_stroke(labels, event.value):
            comes_after = change.fits(labels)
            if comes_after:
                change.write(labels)
            try:
                made = self.session.adopt(edit, [change])
            except SegmentError as error:
                refresh_boxes(self.layer, [change.where])
                self.failed.emit(str(error))
                if comes_after:
                    raise  # so that napari does not paint it
                break
            self._follow()
            self.stepped.emit("edit", made)
        self.layer._reset_history()  # noqa: SLF001 - there is no public call

    def _replaced(self, _: object = None) -> None:
        if not self._own and self.layer.data is not self.session.history.labels:
            self.lost.emit(
                f"The data of the layer {self.layer.name!r} were replaced, so its edits end here. "
                "Choose the layer again to begin anew."
            )

    def _put_data(self) -> None:
        """Let the layer have the array that has taken a larger type."""
        if self.session.history.labels is self.layer.data:
            return
        self._own = True
        try:
            self.layer.data = self.session.history.labels
        finally:
            self._own = False

    def _follow(self) -> None:
        """Let features and provenance follow: of objects that are gone, the rows are empty."""
        history = self.session.history
        if self._holds == "mask":
            holds = "objects" if history.index.largest() > 1 else "mask"
            self.layer.metadata[KEY] = {**self.layer.metadata[KEY], "holds": holds}
        if self._recipe is not None:
            edited = self._recipe.edited or as_text(self._base, history.labels.shape)
            recipe = with_edits(self._recipe, self.session.edits, edited)
            saved = {**self.layer.metadata[KEY], "recipe": recipe.model_dump(mode="json")}
            self.layer.metadata[KEY] = saved
        if set(self._features.columns) <= {"index"}:
            return
        steps = history.done[self._measured :]
        steps += history.undone[: max(self._measured - len(history.done), 0)]
        changed: set[int] = set().union(*(made.changed for made in steps))
        self._own = True
        try:
            self.layer.features = followed_table(self._features, history, changed)
        finally:
            self._own = False

    def _remeasured(self, _: object = None) -> None:
        """Take features that others have set, such as a measurement, as those of now."""
        if not self._own:
            self._features = self.layer.features.copy()
            self._measured = len(self.session.history.done)


def _recipe_before(layer: LabelsLayer, edits: Sequence[Edit]) -> Recipe | None:
    """Return the recipe of a layer without the edits of the session that is taken up."""
    try:
        recipe = recipe_of_layer(layer)
    except FormatError:
        return None
    if recipe is None or not edits or recipe.edits[-len(edits) :] != tuple(edits):
        return recipe
    rest = recipe.edits[: -len(edits)]
    return recipe.model_copy(update={"edits": rest, "edited": recipe.edited if rest else ""})


def followed_table(table: pd.DataFrame, history: History, changed: set[int]) -> pd.DataFrame:
    """Return the features of a layer after edits, a row for each number as before.

    Rows of objects that are gone are empty; the column ``edited`` marks those whose other values
    are from before an edit.
    """
    followed = table.copy()
    numbers = followed["index"] if "index" in followed else followed.index.to_series()
    gone = numbers.isin([n for n in changed if history.index.box(n) is None])
    columns = [name for name in followed if name != "index"]
    for name in columns:
        followed[name] = followed[name].mask(gone)
    followed[EDITED] = numbers.isin(list(changed)) & ~gone
    return followed


def axes_of(layer: LabelsLayer) -> str:
    """Return the axes of a layer that can be edited.

    Raises
    ------
    InputError
        If it has several resolutions, is computed, or has other axes than T, Z, Y and X.
    """
    if layer.multiscale:
        raise InputError(
            f"{layer.name!r} has several resolutions, which cannot be edited together. Open its "
            "full resolution as a layer of its own."
        )
    if is_lazy(layer) or not hasattr(layer.data, "__setitem__"):
        raise InputError(
            f"{layer.name!r} is computed when it is shown and cannot be written to. Load it into "
            "memory to correct it."
        )
    axes = named_axes(layer) or known_axes(layer) or _AXES.get(layer.ndim, "")
    if len(axes) != layer.ndim or set(axes) - set("TZYX"):
        raise InputError(
            f"{layer.name!r} has the axes {axes or '?'}; labels of T, Z, Y and X can be edited. "
            "Take one channel as a layer of its own."
        )
    return axes


def is_lazy(layer: LabelsLayer) -> bool:
    """Return whether a layer of one resolution is a Dask array."""
    return not layer.multiscale and hasattr(layer.data, "dask")


def load_data(layer: LabelsLayer) -> None:
    """Read all of a lazy layer into memory.

    Raises
    ------
    InputError
        If there is not enough memory.
    """
    from napari_segment.blocks.memory import free_memory

    size, free = int(np.prod(layer.data.shape)) * layer.data.dtype.itemsize, free_memory()
    if 2 * size > free:
        raise InputError(
            f"{layer.name!r} takes {size / 1e9:,.1f} GB, but {free / 1e9:,.1f} GB are free. "
            "Correct a part of it, cut out as a layer of its own."
        )
    layer.data = np.asarray(layer.data)


def _history(layer: LabelsLayer, axes: str, spacing: Sequence[float]) -> History:
    data = layer.data
    if isinstance(data, np.ndarray) and not data.flags.writeable:
        data = data.copy()
        layer.data = data
    return History(data, axes, spacing)


def _axes_like(image: ImageLayer, axes: str) -> str:
    """The axes of an image that names none, where it has as many as the labels."""
    return known_axes(image) or (axes if image.ndim == len(axes) else "")
