"""The buttons of the tools, the help of the chosen one, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_segment.widgets.docks.correct.button_grid import ButtonGrid
from napari_segment.widgets.docks.correct.tools import GIVEN, TITLES, Tool
from napari_segment.widgets.forms.form import Form
from napari_segment.widgets.forms.layout import wrapped

_COLUMNS = 3


class Toolbox(QWidget):
    """A button for each tool, of which one or none is chosen.

    Parameters
    ----------
    tools : sequence of Tool
        In the order of the buttons.
    """

    chosen = Signal(object)  # a Tool, or None

    def __init__(self, tools: Sequence[Tool]) -> None:
        super().__init__()
        self.tool: Tool | None = None
        self.buttons: dict[str, Any] = {}
        self.forms: dict[str, Form] = {}
        self.help = QLabel()
        self.help.setWordWrap(True)
        self.grid = ButtonGrid([self._button(tool) for tool in tools], _COLUMNS)
        self._settings = QVBoxLayout()
        layout: Any = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.grid)
        layout.addWidget(self.help)
        layout.addLayout(self._settings)
        self._show()

    def _button(self, tool: Tool) -> Any:
        button = self.buttons[tool.name] = QPushButton(tool.title)
        button.setCheckable(True)
        key = f" Key: Shift+{tool.key}." if tool.key else ""
        button.setToolTip(wrapped(f"{tool.help}{key}"))
        button.clicked.connect(lambda checked: self.choose(tool if checked else None))
        return button

    def choose(self, tool: Tool | None) -> None:
        """Choose a tool, or none."""
        self.tool = tool
        for name, button in self.buttons.items():
            button.setChecked(tool is not None and name == tool.name)
        self._show()
        self.chosen.emit(tool)

    @property
    def settings(self) -> dict[str, Any]:
        """What the form of the chosen tool shows."""
        return self.forms[self.tool.name].settings if self.tool else {}

    def _show(self) -> None:
        """Show the help and the form of the chosen tool alone."""
        tool = self.tool
        if tool is not None and tool.name not in self.forms:
            hide = (*GIVEN, "to") if tool.edit == "copy_plane" else GIVEN
            hide = (*hide, "landscape", "objects") if tool.gesture == "line" else hide
            form = self.forms[tool.name] = Form(tool.entry, hide, labels=TITLES)
            self._settings.addWidget(form.native)
        for name, form in self.forms.items():
            shown = tool is not None and name == tool.name and bool(form.fields)
            form.native.setVisible(shown)
        text = tool.help if tool else "Choose a tool, or paint with the layer's own brush."
        self.help.setText(text)
