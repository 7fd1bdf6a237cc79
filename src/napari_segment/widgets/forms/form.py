"""Forms derived from entries: a row for each setting, a menu for each choice of an entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from psygnal import Signal
from pydantic.fields import FieldInfo
from qtpy.QtCore import Qt
from qtpy.QtGui import QStandardItem
from qtpy.QtWidgets import QComboBox, QFormLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_segment.errors import InputError
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import REGISTRIES, Entry, picks_from
from napari_segment.widgets.forms.fields import FAR, WHOLE, Field, narrow_combo, plain_field
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
        self._layouts: dict[str, Any] = {}
        self._top = form_layout(self.native)
        for name, info in entry.settings.model_fields.items():
            if name not in hide and (name in only or not only):
                self._add(self._layout_of(info) if grouped else self._top, name, info)

    def _layout_of(self, info: FieldInfo) -> Any:
        """The rows of the section of a setting's group; those above all where it names none."""
        group = str(_extra(info).get("group", ""))
        if not group:
            return self._top
        if group not in self.sections:
            section = self.sections[group] = Section(group[:1].upper() + group[1:])
            self._layouts[group] = form_layout(section.body)
            section.body.setContentsMargins(INDENT, 0, 0, 0)
            self._top.addRow(section)
        return self._layouts[group]

    def _add(self, layout: Any, name: str, info: FieldInfo) -> None:
        field = self.instead[name]() if name in self.instead else setting_field(info)
        if not info.is_required():
            field.value = info.get_default()
        field.changed.connect(lambda *_: self.changed.emit())
        label = QLabel(info.title or self.labels.get(name) or name.replace("_", " "))
        for widget in (label, field.native):
            widget.setToolTip(_wrapped(info.description or ""))
        if isinstance(field, EntryMenu) or hasattr(field, "menus"):
            label.setAlignment(Qt.AlignmentFlag.AlignLeft)
            layout.addRow(label)
            layout.addRow(field.native)
        else:
            layout.addRow(label, field.native)
        self.fields[name] = field

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
        """The entry with these settings, checked."""
        return self.entry.spec(self.settings)


class EntryMenu:
    """A menu of entries with the chosen entry's own form under it; the value is a Spec.

    Parameters
    ----------
    entries : sequence of Entry
        What can be chosen. Entries of one group stand under a heading.
    instead : mapping of str to callable
        Makers of fields that take the place of the derived ones, by setting.
    """

    changed = Signal(object)

    def __init__(
        self,
        entries: Sequence[Entry],
        instead: Mapping[str, Callable[[], Field]] = MappingProxyType({}),
    ) -> None:
        self.entries = {e.name: e for e in entries}
        self.instead = instead
        self.forms: dict[str, Form] = {}
        self.menu = grouped_combo(entries)
        self.native = QWidget()
        self._layout = QVBoxLayout(self.native)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.addWidget(self.menu)
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
            form = self.forms[entry.name] = Form(entry, instead=self.instead)
            form.changed.connect(lambda: self.changed.emit(self.name))
            form.native.setContentsMargins(INDENT, 0, 0, 0)
            self._layout.addWidget(form.native)
        for name, form in self.forms.items():
            form.native.setVisible(name == self.name and bool(form.fields))
        self.menu.setToolTip(_wrapped(entry.help) if entry else "")


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
    """The field for one setting of an entry."""
    registry, several = picks_from(info)
    if registry and several:
        from napari_segment.widgets.forms.steps import StepList

        return StepList(registry)
    if registry:
        return EntryMenu(list(REGISTRIES[registry].values()))
    folder = _extra(info).get("format") != "file-path"
    return plain_field(info.annotation, info.metadata, folder=folder)


def _extra(info: FieldInfo) -> Mapping[str, Any]:
    """What a field's JSON schema says further, such as its group."""
    return info.json_schema_extra if isinstance(info.json_schema_extra, Mapping) else {}


def form_layout(widget: Any) -> Any:
    """A two-column layout that gives up its columns rather than its words when narrow."""
    layout = QFormLayout(widget)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setVerticalSpacing(3)
    layout.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    layout.setRowWrapPolicy(QFormLayout.RowWrapPolicy.DontWrapRows)
    layout.setLabelAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
    return layout


def order_tabs(widget: Any) -> None:
    """Let the Tab key go through a form as the eye does, wherever its parts were added."""
    for part, following in pairwise(_parts(widget)):
        QWidget.setTabOrder(part, following)


def _parts(widget: Any) -> Iterator[Any]:
    """What the Tab key can reach, in the order of the layouts."""
    if isinstance(widget, QScrollArea):
        yield from _parts(widget.widget())
    elif widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
        yield widget
    elif widget.layout() is not None:
        yield from _laid_out(widget.layout())


def _laid_out(layout: Any) -> Iterator[Any]:
    for item in map(layout.itemAt, range(layout.count())):
        if item.widget() is not None:
            yield from _parts(item.widget())
        elif item.layout() is not None:
            yield from _laid_out(item.layout())


def grouped_combo(entries: Sequence[Entry]) -> Any:
    """A combo box of entries by title, under headings where there are several groups."""
    box = QComboBox()
    narrow_combo(box)
    box.setMaxVisibleItems(24)
    groups = list(dict.fromkeys(e.group for e in entries))
    for group in groups:
        if len(groups) > 1 and group:
            box.model().appendRow(_heading(group))
        for entry in entries:
            if entry.group == group:
                box.addItem(entry.title, entry.name)
                box.setItemData(box.count() - 1, entry.help, Qt.ItemDataRole.ToolTipRole)
    box.setCurrentIndex(max(0, next((i for i in range(box.count()) if box.itemData(i)), 0)))
    return box


def _heading(text: str) -> Any:
    item = QStandardItem(text.upper())
    item.setFlags(Qt.ItemFlag.NoItemFlags)
    font = item.font()
    font.setPointSizeF(font.pointSizeF() * 0.85)
    item.setFont(font)
    return item


def _wrapped(text: str) -> str:
    """Rich text, which Qt's tooltips break into lines."""
    from html import escape

    return f"<p>{escape(text)}</p>" if text else ""
