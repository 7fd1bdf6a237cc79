"""The base of every dock widget: all docks of this plug-in are tabs of one area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QDockWidget, QMainWindow, QVBoxLayout, QWidget

from napari_segment.distribution import DISTRIBUTION
from napari_segment.widgets.forms.empty_hint import EmptyHint

if TYPE_CHECKING:
    from napari.viewer import Viewer
    from qtpy.QtGui import QShowEvent


class Dock(QWidget):
    """A widget that becomes a tab of the docks of this plug-in that are open.

    Docks one under the other would make the window taller than the screen. A dock is moved once,
    when it is first shown; where a person puts it afterwards, it stays.
    """

    needs: ClassVar[str] = "Open an image: drag a file into the window."
    samples: ClassVar[Mapping[str, str]] = {"nuclei": "Nuclei", "cells": "Cells (3-D)"}
    _tabbed_in: QDockWidget | None = None
    _hint: EmptyHint | None = None

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        viewer, layout = getattr(self, "viewer", None), self.layout()
        if self._hint is None and viewer is not None and isinstance(layout, QVBoxLayout):
            self._hint = EmptyHint(viewer, self.needs, self.samples)
            layout.insertWidget(0, self._hint)
        QTimer.singleShot(0, self._join_tabs)

    def _join_tabs(self) -> None:
        """Join the tabs, once Qt has finished showing this."""
        try:
            own = _around(self)
            if own is None or own is self._tabbed_in or own.isFloating():
                return
            self._tabbed_in = own
            window = own.window()
            if not isinstance(window, QMainWindow) or window.tabifiedDockWidgets(own):
                return
            docks = (_around(dock) for dock in window.findChildren(Dock))
            other = next((d for d in docks if d not in (None, own) and _is_docked(d)), None)
            if other is not None:
                window.tabifyDockWidget(other, own)
                own.raise_()
        except RuntimeError:  # Qt's part of these objects is gone
            return


def open_dock(viewer: Viewer, name: str) -> Any:
    """Open a dock of this plug-in, or bring it to the front; return its widget.

    Parameters
    ----------
    viewer : napari Viewer
        In whose window.
    name : str
        As in the menu.
    """
    frame, widget = viewer.window.add_plugin_dock_widget(DISTRIBUTION, name)
    frame.show()
    frame.raise_()
    return widget


def _is_docked(dock: QDockWidget) -> bool:
    return not dock.isFloating() and not dock.isHidden()


def _around(widget: QWidget) -> QDockWidget | None:
    """The dock that holds a widget, if any."""
    parent = widget.parentWidget()
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    return parent


def is_gone(dock: QWidget) -> bool:
    """Return whether a dock widget was hidden or closed; behind another tab it was not."""
    try:
        ancestor = _around(dock)
        return ancestor is None or ancestor.isHidden()
    except RuntimeError:  # Qt's part of these objects is gone
        return False
