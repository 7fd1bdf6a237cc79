"""An ordered list of entries, such as the filters before a method and the cleanups after it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from psygnal import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import REGISTRIES
from napari_segment.widgets.forms.form import EntryMenu


class StepList:
    """Rows that each hold an entry's menu and form, and a button that adds one.

    Parameters
    ----------
    kind : str
        The registry's name, such as "filters".
    """

    changed = Signal(object)

    def __init__(self, kind: str) -> None:
        self.registry = REGISTRIES[kind]
        self.menus: list[EntryMenu] = []
        self.native = QWidget()
        self._rows: list[Any] = []
        self._layout = QVBoxLayout(self.native)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self.button = QToolButton()
        self.button.setText(f"+ Add a {self.registry.singular}")
        self.button.setToolTip(f"One more {self.registry.singular}, run after those above")
        self.button.clicked.connect(lambda _checked: self.add())
        self.foot = QHBoxLayout()
        self.foot.addWidget(self.button)
        self.foot.addStretch(1)
        self._layout.addLayout(self.foot)
        self.button.setVisible(bool(self.registry))

    @property
    def value(self) -> tuple[Spec, ...]:
        return tuple(menu.value for menu in self.menus)

    @value.setter
    def value(self, specs: Sequence[SpecLike]) -> None:
        while self.menus:
            self._remove(self.menus[0])
        for spec in specs:
            self._insert(Spec.of(spec))
        self.changed.emit(None)

    def add(self, spec: SpecLike | None = None) -> None:
        """Append an entry: the registry's first unless given."""
        self._insert(None if spec is None else Spec.of(spec))
        self.changed.emit(None)

    def _insert(self, spec: Spec | None) -> None:
        menu = EntryMenu(list(self.registry.values()))
        if spec is not None:
            menu.value = spec
        menu.changed.connect(lambda *_: self.changed.emit(None))
        row = self._row(menu)
        self._layout.insertWidget(len(self.menus), row)
        self.menus.append(menu)
        self._rows.append(row)

    def _row(self, menu: EntryMenu) -> Any:
        row = QFrame()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(menu.native, 1)
        buttons = QVBoxLayout()
        line = QHBoxLayout()
        for text, tip, slot in (
            ("↑", "Run it earlier", partial(self._move, menu, -1)),
            ("↓", "Run it later", partial(self._move, menu, 1)),
            ("✕", "Remove it", partial(self._drop, menu)),
        ):
            button = QToolButton()
            button.setText(text)
            button.setToolTip(tip)
            button.clicked.connect(lambda *_, slot=slot: slot())
            line.addWidget(button)
        line.setSpacing(1)
        buttons.addLayout(line)
        buttons.addStretch()
        layout.addLayout(buttons)
        return row

    def _move(self, menu: EntryMenu, by: int) -> None:
        start = self.menus.index(menu)
        end = start + by
        if not 0 <= end < len(self.menus):
            return
        for items in (self.menus, self._rows):
            items.insert(end, items.pop(start))
        self._layout.removeWidget(self._rows[end])
        self._layout.insertWidget(end, self._rows[end])
        self.changed.emit(None)

    def _drop(self, menu: EntryMenu) -> None:
        self._remove(menu)
        self.changed.emit(None)

    def _remove(self, menu: EntryMenu) -> None:
        index = self.menus.index(menu)
        del self.menus[index]
        row = self._rows.pop(index)
        self._layout.removeWidget(row)
        row.hide()
        row.deleteLater()
