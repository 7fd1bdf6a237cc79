"""A strip of small pictures to choose a method from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QSize, Qt, QTimer
from qtpy.QtGui import QIcon, QPixmap
from qtpy.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QToolButton, QWidget

from napari_segment.errors import SegmentError
from napari_segment.widgets.forms.curves import picture_of
from napari_segment.widgets.forms.layout import first_sentence, wrapped
from napari_segment.widgets.jobs.preview import Newest
from napari_segment.widgets.jobs.thumbnails import Wish, drawable, thumbnails
from napari_segment.widgets.layers.conversion import shown_index

if TYPE_CHECKING:
    from napari_segment.results.picture import Picture
    from napari_segment.widgets.docks.segment import SegmentDock

SIDE = 56  # pixels of a picture
CHOSEN = "#f2a33a"  # the border of the chosen method
PAUSE = 250  # milliseconds from a change to new pictures
LETTERS = 10  # of a method's title under its picture


class MethodStrip(QObject):
    """What each method makes of the plane in view, as pictures that choose it when clicked.

    Parameters
    ----------
    dock : SegmentDock
        Whose image, filters and menu are followed.
    """

    def __init__(self, dock: SegmentDock) -> None:
        super().__init__(dock)
        self.dock = dock
        self.names = drawable(dock.method.entries.values())
        self.buttons = {name: self._button(name) for name in self.names}
        self.native = _strip([*self.buttons.values()])
        self.native.hide()
        self._newest = Newest()
        self._newest.ready.connect(self._show)
        self._key: tuple[object, ...] = ()
        self._timer = QTimer(self, singleShot=True, interval=PAUSE)
        self._timer.timeout.connect(self._ask)

    def refresh(self) -> None:
        """Ask for pictures of the plane in view, in a moment."""
        if not self._timer.isActive():
            self._timer.start()

    def mark(self) -> None:
        """Show which method is chosen."""
        for name, button in self.buttons.items():
            button.setChecked(name == self.dock.method.name)
        chosen = self.buttons.get(self.dock.method.name)
        if chosen is not None and self.native.isVisible():
            self.native.ensureWidgetVisible(chosen, SIDE, 0)

    def _button(self, name: str) -> Any:
        entry = self.dock.method.entries[name]
        button = QToolButton()
        button.setCheckable(True)
        button.setAutoRaise(True)
        button.setStyleSheet(f"QToolButton:checked {{ border: 2px solid {CHOSEN}; }}")
        button.setIconSize(QSize(SIDE, SIDE))
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        title = entry.title.removesuffix(" threshold")
        button.setText(title if len(title) <= LETTERS else title[: LETTERS - 1] + "…")
        button.setToolTip(wrapped(f"{entry.title}. {first_sentence(entry.help)}."))
        button.clicked.connect(partial(self._choose, name))
        return button

    def _choose(self, name: str, _: bool = False) -> None:
        self.dock.method.name = name
        self.mark()

    def _ask(self) -> None:
        source = self.dock.source
        if not self.native.parentWidget() or not self.dock.isVisible():
            return
        try:
            image, recipe = source.image(), self.dock.recipe()
        except SegmentError:
            self.native.hide()
            return
        index = shown_index(self.dock.viewer, source.layer, source.axes)
        where = {axis: index[axis] for axis in "TZ" if axis in index}
        wish = Wish(image.canonical(), where, recipe, self.names, source.version)
        if wish.key() != self._key:
            self._key = wish.key()
            self._go_on(wish)

    def _go_on(self, wish: Wish) -> None:
        stale = self._newest.stale
        self._newest.ask(lambda: (wish, *thumbnails(wish, stale)))

    def _show(self, drawn: tuple[Wish, dict[str, Picture], tuple[str, ...]]) -> None:
        wish, pictures, remaining = drawn
        if wish.key() != self._key:
            return
        for name, picture in pictures.items():
            pixmap = QPixmap.fromImage(picture_of(picture))
            shown = pixmap.scaled(SIDE, SIDE, Qt.AspectRatioMode.KeepAspectRatio)
            self.buttons[name].setIcon(QIcon(shown))
        self.native.show()
        self.mark()
        if remaining:
            self._go_on(Wish(wish.image, wish.where, wish.recipe, remaining, wish.version))


def _strip(buttons: list[QToolButton]) -> QScrollArea:
    """Return buttons side by side, in an area that scrolls from left to right."""
    row = QWidget()
    layout = QHBoxLayout(row)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(2)
    for button in buttons:
        layout.addWidget(button)
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(row)
    text = 2 * row.fontMetrics().height()  # with the frame around it
    area.setFixedHeight(SIDE + text + area.horizontalScrollBar().sizeHint().height())
    return area
