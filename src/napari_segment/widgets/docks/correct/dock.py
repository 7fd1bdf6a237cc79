"""The Correct dock widget itself: layers, tools, undo, and the review."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from qtpy.compat import isalive
from qtpy.QtCore import QSize, QTimer
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_segment.errors import SegmentError
from napari_segment.recipe import Edit
from napari_segment.results.edits.checksum import checksum
from napari_segment.results.edits.history import Made
from napari_segment.widgets.docks.correct.button_grid import ButtonGrid
from napari_segment.widgets.docks.correct.gestures import Gestures
from napari_segment.widgets.docks.correct.queue import Queue
from napari_segment.widgets.docks.correct.toolbox import Toolbox
from napari_segment.widgets.docks.correct.tools import TOOLS, Tool, further_tools
from napari_segment.widgets.docks.dock import Dock
from napari_segment.widgets.docks.train_with import TrainWith
from napari_segment.widgets.forms.fields import narrow_combo
from napari_segment.widgets.forms.layout import form_layout, heading, scrolling
from napari_segment.widgets.forms.source import LayerMenu, follow, is_image, is_labels
from napari_segment.widgets.layers.conversion import KEY
from napari_segment.widgets.layers.edits import LayerEdits, axes_of, is_lazy, load_data
from napari_segment.widgets.layers.journals import (
    Earlier,
    earlier_edits,
    put_aside,
    record_journal,
    recorded_journal,
)
from napari_segment.widgets.layers.label_numbers import recorded_holds

if TYPE_CHECKING:
    from napari.layers import Labels as LabelsLayer
    from napari.utils.events import Event
    from napari.viewer import Viewer
    from qtpy.QtGui import QHideEvent

FINISH, STOP = "Enter", "Escape"
_docks: WeakSet[Correct] = WeakSet()  # of all windows


class Correct(Dock):
    """Corrects a Labels layer by tools, and leads through its objects.

    Parameters
    ----------
    napari_viewer : napari Viewer
        Whose layers are corrected.
    """

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        # napari hands over a proxy, whose layers are not the layers themselves
        self.viewer = getattr(napari_viewer, "__wrapped__", napari_viewer)
        self.edits: LayerEdits | None = None
        self.gestures: Gestures | None = None
        _docks.add(self)
        self.earlier: Earlier | None = None
        self.labels = LayerMenu(self.viewer, is_labels, "none")
        self.image = LayerMenu(self.viewer, is_image, "none")
        self.tools = (*TOOLS, *further_tools())
        self.toolbox = Toolbox(self.tools)
        self.planes, self.times = QComboBox(), QComboBox()
        self.undo_button, self.redo_button = QPushButton("Undo"), QPushButton("Redo")
        self.queue = Queue(self.viewer)
        self.message = QLabel()
        self.take_up_button = QPushButton("Take up")
        self.anew_button = QPushButton("Begin anew")
        self.load_button = QPushButton("Load into memory")
        missing = "Choose a Labels layer to correct."
        self.train_button = TrainWith(self.viewer, self._corrected, self.say, missing)
        self._build()
        self.labels.currentIndexChanged.connect(lambda _: self.begin())
        self.image.currentIndexChanged.connect(lambda _: self._see())
        follow(self, self.viewer.layers.events.removed, self._removed)
        Thread(target=_import_libraries, daemon=True).start()
        active = self.viewer.layers.selection.active
        if is_labels(active):
            self.labels.layer = active
        if self.edits is None:
            self.begin()

    def sizeHint(self) -> Any:
        return QSize(340, 520)

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        QTimer.singleShot(0, self._end_if_closed)

    def _end_if_closed(self) -> None:
        """Leave the layer when napari has taken the dock apart; it calls no closeEvent."""
        if not isalive(self) or (self.parent() is None and not self.isVisible()):
            self.end()

    # ---- the layer ----

    def begin(self, *, anew: bool = False, take_up: bool = False) -> None:
        """Begin to edit the chosen layer, unless earlier edits of it are to be decided on."""
        self.end()
        layer = self.labels.layer
        for other in [dock for dock in _docks if dock is not self]:
            if other.edits is not None and other.edits.layer is layer:
                other.leave_to_another()
        self._enable()
        if layer is None:
            self.say("Choose a Labels layer to correct.")
            return
        self.load_button.setVisible(is_lazy(layer))
        try:
            axes_of(layer)
            state = checksum(layer.data)
            earlier = earlier_edits(layer, state)
            mine = earlier.is_last and recorded_journal(layer) == earlier.path
            if earlier.count and not (anew or take_up or mine):
                self._ask(earlier)
                return
            if anew and earlier.path.exists():
                put_aside(earlier.path)
            self._start(layer, earlier, state)
        except (SegmentError, OSError) as error:
            self.say(str(error))

    def _start(self, layer: LabelsLayer, earlier: Earlier, state: int) -> None:
        self.edits = LayerEdits(layer, earlier.path, state)
        record_journal(layer, earlier.path)
        self.edits.stepped.connect(self._stepped)
        self.edits.failed.connect(self.say)
        self.edits.lost.connect(self._lost)
        self.gestures = Gestures(self.viewer, layer, self.edits.axes, self.make, self.say)
        self.gestures.settings = lambda: self.toolbox.settings
        self.gestures.one_plane = lambda: self.planes.currentIndex() == 1
        self.gestures.all_times = lambda: self.times.currentIndex() == 1
        self.planes.setVisible("Z" in self.edits.axes)
        self.times.setVisible("T" in self.edits.axes)
        for tool in self.tools:
            if tool.key:
                layer.bind_key(f"Shift-{tool.key}", self._chooser(tool), overwrite=True)
        layer.bind_key(FINISH, lambda _: self._finish(), overwrite=True)
        layer.bind_key(STOP, lambda _: self.toolbox.choose(None), overwrite=True)
        layer.events.mode.connect(self._mode_changed)
        self.queue.follow(self.edits)
        if self.image.layer is None:
            self.image.layer = image_like(self.viewer, layer)
        self._see()
        self._enable()
        count = len(self.edits.session.edits)
        taken = f"{count} earlier edits taken up. " if count else ""
        self.say(f"{taken}Edits are written to {earlier.path.name}.")
        self.message.setToolTip(str(earlier.path))

    def end(self) -> None:
        """Leave the layer as it is."""
        if self.edits is None:
            return
        layer = self.edits.layer
        self.queue.leave()
        keys = [f"Shift-{tool.key}" for tool in self.tools if tool.key]
        for key in (*keys, FINISH, STOP):
            layer.bind_key(key, None, overwrite=True)
        layer.events.mode.disconnect(self._mode_changed)
        if self.gestures is not None:
            self.gestures.close()
        self.edits.close()
        self.edits = self.gestures = None
        with suppress(RuntimeError):  # Qt's part of the dock is gone
            self.toolbox.choose(None)

    def load(self) -> None:
        """Load a layer that is computed when it is shown, and begin to edit it."""
        layer = self.labels.layer
        try:
            load_data(layer)
        except (SegmentError, MemoryError) as error:
            self.say(str(error))
            return
        self.begin()

    def leave_to_another(self) -> None:
        """Let another dock correct the layer."""
        self.end()
        self._enable()
        self.say("Another Correct dock has taken the layer.")

    def _ask(self, earlier: Earlier) -> None:
        self.earlier = earlier
        self._enable()
        day = earlier.when[:10]
        self.say(
            f"These labels have {earlier.count} edits from an earlier session ({day}). Take them "
            "up, or put them aside and begin anew?"
        )
        self.message.setToolTip(str(earlier.path))

    def _see(self) -> None:
        """Let the edits see the chosen image."""
        if self.edits is None:
            return
        recipe = (self.edits.layer.metadata.get(KEY) or {}).get("recipe") or {}
        try:
            self.edits.see(self.image.layer, recipe.get("channel", "auto"))
        except SegmentError as error:
            self.edits.see(None)
            self.say(f"The image cannot be used: {error}")

    def _removed(self, event: Event) -> None:
        if self.edits is not None and event.value is self.edits.layer:
            self.end()
            self._enable()

    def _lost(self, text: str) -> None:
        self.end()
        self._enable()
        self.say(text)

    # ---- edits ----

    def make(self, edit: Edit) -> None:
        """Make an edit on the layer, and say what came of it."""
        if self.edits is None:
            return
        try:
            self.edits.make(edit)
        except (SegmentError, MemoryError) as error:
            self.say(str(error))

    def undo(self) -> None:
        """Undo the last step."""
        if self.edits is not None:
            self.edits.undo()

    def redo(self) -> None:
        """Make the step again that was undone last."""
        if self.edits is not None:
            self.edits.redo()

    def _stepped(self, kind: str, made: Made) -> None:
        self._enable()
        self.queue.refresh()
        self.say(_sentence(kind, made))

    def _chooser(self, tool: Tool) -> Callable[[object], None]:
        """Return a function that chooses a tool, or leaves it; napari asks for its name."""

        def choose(_: object) -> None:
            self.toolbox.choose(None if self.toolbox.tool is tool else tool)

        return choose

    def _finish(self) -> None:
        if self.gestures is not None:
            self.gestures.finish()

    def _choose(self, tool: Tool | None) -> None:
        if self.gestures is None:
            return
        self.gestures.choose(tool)
        if tool is not None:
            self.viewer.layers.selection.active = self.gestures.layer

    def _mode_changed(self, _: object = None) -> None:
        """Leave the tool when one of napari's own is taken."""
        if self.edits is not None and self.edits.layer.mode != "pan_zoom":
            self.toolbox.choose(None)

    def say(self, text: str) -> None:
        """Show a message."""
        self.message.setText(text)
        self.message.setToolTip(text)

    # ---- the widgets ----

    def _build(self) -> None:
        self.message.setWordWrap(True)
        self.planes.addItems(["whole objects", "this plane only"])
        self.planes.setToolTip("What an edit of a volume changes")
        self.times.addItems(["this time point", "all time points"])
        self.times.setToolTip("What an edit of a time-lapse changes")
        self.toolbox.chosen.connect(self._choose)
        self.queue.accepted.connect(self.make)
        self.queue.said.connect(self.say)
        self.undo_button.setToolTip("Undo the last edit or stroke (Ctrl+Z)")
        self.redo_button.setToolTip("Make the edit again that was undone (Ctrl+Shift+Z)")
        self.undo_button.clicked.connect(lambda _: self.undo())
        self.redo_button.clicked.connect(lambda _: self.redo())
        self.take_up_button.clicked.connect(lambda _: self.begin(take_up=True))
        self.anew_button.clicked.connect(lambda _: self.begin(anew=True))
        self.load_button.clicked.connect(lambda _: self.load())
        self.load_button.setToolTip("Read all of the layer, so that it can be written to")
        self.take_up_button.setToolTip("Go on where the earlier session was")
        self.anew_button.setToolTip("Rename the earlier journal and begin another")
        body = QWidget()
        column: Any = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 6, 0)
        fields = QWidget()
        form = form_layout(fields)
        form.addRow("labels", self.labels)
        form.addRow("image", self.image)
        column.addWidget(fields)
        column.addWidget(heading("Tools"))
        narrow_combo(self.planes)
        narrow_combo(self.times)
        column.addLayout(_row(self.planes, self.times))
        column.addWidget(self.toolbox)
        column.addWidget(heading("Review"))
        column.addWidget(self.queue)
        column.addWidget(self.train_button)
        column.addStretch(1)
        outer: Any = QVBoxLayout(self)
        outer.setContentsMargins(6, 6, 6, 6)
        outer.addWidget(scrolling(body), 1)
        outer.addWidget(ButtonGrid((self.take_up_button, self.anew_button, self.load_button), 2))
        outer.addWidget(ButtonGrid((self.undo_button, self.redo_button), 2))
        outer.addWidget(self.message)

    def _corrected(self) -> dict[str, Any] | None:
        """Return the image and the labels as a training takes them; None without labels."""
        layer = self.labels.layer
        if layer is None:
            return None
        task = "auto" if recorded_holds(layer) else "objects"
        return {"image": self.image.layer, "labels": layer, "task": task}

    def _enable(self) -> None:
        """Let only that be pressed which can be done."""
        ready = self.edits is not None
        asking = self.earlier is not None and not ready
        self.toolbox.setEnabled(ready)
        self.load_button.setVisible(False)
        for button in (self.take_up_button, self.anew_button):
            button.setVisible(asking)
        history = self.edits.session.history if self.edits else None
        self.undo_button.setEnabled(bool(history and history.done))
        self.redo_button.setEnabled(bool(history and history.undone))
        self.earlier = None if ready else self.earlier


def image_like(viewer: Viewer, layer: LabelsLayer) -> Any:
    """Return the image that labels were made from, or the only one of their shape; else None."""
    images = [i for i in viewer.layers if is_image(i) and i.data.shape == layer.data.shape]
    source = (layer.metadata.get(KEY) or {}).get("source")
    named = [image for image in images if image.name == source]
    return named[0] if named else images[0] if len(images) == 1 else None


def _import_libraries() -> None:
    """Import what the first use of a tool would wait for."""
    for name in ("scipy.ndimage", "skimage.segmentation", "edt"):
        with suppress(ImportError):
            import_module(name)


def _row(*widgets: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    for widget in widgets:
        row.addWidget(widget, 1)
    return row


def _sentence(kind: str, made: Made) -> str:
    """Say what a step was and what it changed."""
    from napari_segment.registry import edits

    title = edits[made.edit.name].title
    prefix = {"undo": "Undone: ", "redo": "Done again: "}.get(kind, "")
    numbers = sorted(made.changed - made.gone)
    listed = ", ".join(map(str, numbers[:5])) + (" …" if len(numbers) > 5 else "")
    objects = f" Changed: {listed}." if numbers else ""
    if made.edit.name == "accept":
        return f"{prefix}Accepted object {made.edit.settings['numbers'][0]}."
    gone = f" Gone: {', '.join(map(str, sorted(made.gone)[:5]))}." if made.gone else ""
    nothing = "" if made.changes else " Nothing had to be changed."
    return f"{prefix}{title}.{objects}{gone}{nothing}"
