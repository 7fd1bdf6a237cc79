"""Forms derived from entries: a row for each setting, a menu for each choice of an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from psygnal import Signal
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from napari_segment.errors import InputError
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import REGISTRIES, Entry, picks_from
from napari_segment.widgets.forms.fields import FAR, WHOLE, Field, plain_field
from napari_segment.widgets.forms.layout import (
    Caption,
    first_sentence,
    form_layout,
    grouped_combo,
    narrow,
    wrapped,
)
from napari_segment.widgets.forms.section import Section

INDENT = 10


class Form:
    """One row for each setting of an entry, at its default, with its help as tooltip.

    Parameters
    ----------
    entry : Entry
        What is run with the settings.
    hide : sequence of str
        Settings that the surroundings ask for; the form leaves them out.
    only : sequence of str
        The settings that are shown; empty for all.
    instead : mapping of str to callable
        Makers of fields that replace the derived ones, by setting.
    labels : mapping of str to str
        Labels of settings that have no title of their own; else their names.
    grouped : bool
        Whether settings stand in a collapsible section for each group that their fields name.
    """

    changed = Signal()

    def __init__(
        self,
        entry: Entry,
        hide: Sequence[str] = (),
        only: Sequence[str] = (),
        instead: Mapping[str, Callable[[], Field]] = MappingProxyType({}),
        *,
        labels: Mapping[str, str] = MappingProxyType({}),
        grouped: bool = False,
    ) -> None:
        self.entry, self.instead, self.labels = entry, instead, labels
        self.native = QWidget()
        self.fields: dict[str, Field] = {}
        self.sections: dict[str, Section] = {}
        self._rows: dict[str, tuple[Any, QWidget, QWidget]] = {}
        self._layouts: dict[str, Any] = {}
        self._top = form_layout(self.native)
        for name, info in entry.settings.model_fields.items():
            if name not in hide and (name in only or not only):
                self._add(self._layout_of(info) if grouped else self._top, name, info)

    def _layout_of(self, info: FieldInfo) -> Any:
        """Return the rows of a setting's section; those above all sections where it names none."""
        group = str(_extra(info).get("group", ""))
        if not group:
            return self._top
        if group not in self.sections:
            section = self.sections[group] = Section(group[:1].upper() + group[1:])
            self._layouts[group] = form_layout(section.body)
            section.body.setContentsMargins(INDENT, 0, 0, 0)
            self._top.addRow(section)
        return self._layouts[group]

    def _add(self, layout: QFormLayout, name: str, info: FieldInfo) -> None:
        field = self.instead[name]() if name in self.instead else setting_field(info)
        if not info.is_required():
            field.value = info.get_default()
        field.changed.connect(lambda *_: self.changed.emit())
        label = Caption(info.title or self.labels.get(name) or name.replace("_", " "))
        for widget in (label, field.native):
            widget.setToolTip(wrapped(info.description or ""))
        if isinstance(field, EntryMenu) or hasattr(field, "menus"):
            label.setAlignment(Qt.AlignmentFlag.AlignLeft)
            layout.addRow(label)
            layout.addRow(field.native)
        else:
            layout.addRow(label, field.native)
        self.fields[name] = field
        self._rows[name] = (layout, field.native, label)

    def show_field(self, name: str, *, shown: bool) -> None:
        """Show a setting, or leave it out while it means nothing."""
        for widget in self._rows[name][1:]:
            widget.setVisible(shown)

    @property
    def settings(self) -> dict[str, Any]:
        """What the form shows, by setting."""
        return {name: field.value for name, field in self.fields.items()}

    @settings.setter
    def settings(self, settings: Mapping[str, Any]) -> None:
        for name, value in settings.items():
            if name in self.fields:
                self.fields[name].value = value

    def spec(self) -> Spec:
        """Return the entry with these settings, checked."""
        return self.entry.spec(self.settings)


class EntryMenu:
    """A menu of entries with the chosen entry's own form under it; the value is a Spec.

    Parameters
    ----------
    entries : sequence of Entry
        What can be chosen. Entries of one group stand under a heading.
    instead : mapping of str to callable
        Makers of fields that replace the derived ones, by setting.
    hide : sequence of str
        Settings that the surroundings decide.
    labels : mapping of str to str
        As of `Form`.
    described : bool
        Whether the menu can be searched, and the chosen entry's first sentence stands under it.
    """

    changed = Signal(object)

    def __init__(
        self,
        entries: Sequence[Entry],
        instead: Mapping[str, Callable[[], Field]] = MappingProxyType({}),
        hide: Sequence[str] = (),
        labels: Mapping[str, str] = MappingProxyType({}),
        *,
        described: bool = False,
    ) -> None:
        self.entries = {e.name: e for e in entries}
        self.instead, self.hide, self.labels = instead, hide, labels
        self.forms: dict[str, Form] = {}
        self.menu = grouped_combo(entries, searched=described)
        self.native = QWidget()
        self._layout = QVBoxLayout(self.native)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.menu)
        self.summary = QLabel()  # of the chosen entry
        self.summary.setWordWrap(True)
        self.summary.setVisible(described)
        self._layout.addWidget(self.summary)
        self.menu.setVisible(len(entries) != 1)
        self._show()
        self.menu.currentIndexChanged.connect(self._chosen)

    @property
    def name(self) -> str:
        """The chosen entry's name; "" where there is none to choose."""
        return self.menu.currentData() or ""

    @name.setter
    def name(self, name: str) -> None:
        index = self.menu.findData(name)
        if index < 0:
            raise InputError(f"The menu does not offer {name!r}.")
        self.menu.setCurrentIndex(index)

    @property
    def entry(self) -> Entry | None:
        return self.entries.get(self.name)

    @property
    def form(self) -> Form | None:
        """The chosen entry's form."""
        return self.forms.get(self.name)

    @property
    def value(self) -> Spec:
        form = self.form
        return Spec(name=self.name) if form is None else form.spec()

    @value.setter
    def value(self, spec: SpecLike) -> None:
        spec = Spec.of(spec)
        self.name = spec.name
        if self.form is not None:  # a setting that the Spec leaves out is at its default
            self.form.settings = {**_defaults(self.form.entry), **spec.settings}

    def _chosen(self, _: int) -> None:
        self._show()
        self.changed.emit(self.name)

    def _show(self) -> None:
        """Show the chosen form alone, made when it is first asked for."""
        entry = self.entry
        if entry is not None and entry.name not in self.forms:
            form = self.forms[entry.name] = Form(
                entry, self.hide, instead=self.instead, labels=self.labels
            )
            form.changed.connect(lambda: self.changed.emit(self.name))
            form.native.setContentsMargins(INDENT, 0, 0, 0)
            self._layout.addWidget(form.native)
        for name, form in self.forms.items():
            form.native.setVisible(name == self.name and bool(form.fields))
        self.menu.setToolTip(wrapped(entry.help) if entry else "")
        self.summary.setText(first_sentence(entry.help) if entry else "")


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
        narrow(self.button)
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
        menu.menu.show()  # of one entry too: a row shows its name
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


def check_shown(spec: Spec) -> None:
    """Refuse settings that an entry takes, but no box of a form can hold.

    Raises
    ------
    InputError
        Naming the setting.
    """
    for name, value in spec.settings.items():
        far = {int: WHOLE, float: FAR}.get(type(value))
        if far is not None and abs(value) > far:
            raise InputError(
                f"The setting {name!r} of {spec.name!r} is {value}, which is more than the form "
                "can hold. Run such a recipe in Python or on the command line."
            )


def _defaults(entry: Entry) -> dict[str, Any]:
    fields = entry.settings.model_fields.items()
    return {name: info.get_default() for name, info in fields if not info.is_required()}


def setting_field(info: FieldInfo) -> Field:
    """Return the field for one setting of an entry."""
    registry, several = picks_from(info)
    if registry and several:
        return StepList(registry)
    if registry:
        return EntryMenu(list(REGISTRIES[registry].values()))
    folder = _extra(info).get("format") != "file-path"
    return plain_field(info.annotation, info.metadata, folder=folder)


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    """Return the further keys of a field's JSON schema, such as its group."""
    return info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}
