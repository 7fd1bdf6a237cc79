"""Forms show what entries declare, and give back what they show."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_segment.errors import InputError, SettingError
from napari_segment.recipe import Spec
from napari_segment.registry import REGISTRIES, Entry, Of, Registry
from napari_segment.widgets.forms.form import EntryMenu, Form, StepList, check_shown
from napari_segment.widgets.forms.layout import order_tabs

pytestmark = pytest.mark.usefixtures("qapp")

ALL = [(kind, name) for kind, registry in REGISTRIES.items() for name in registry]

colours = Registry("colours", "colour")


@colours.add("grey", title="Grey", group="plain")
def grey(*, level: Annotated[float, Field(ge=0, le=1)] = 0.5):
    """Between black and white."""


@colours.add("mixed", title="Mixed", group="bright")
def mixed(*, parts: tuple[float, ...] = (0.2, 0.8), steps: Annotated[int, Field(gt=1)] = 3):
    """Of several."""


MIXED = Spec(name="mixed", settings={"steps": 7})


def paint(
    image,
    *,
    rate: Annotated[float, Field(gt=0)] = 3e-4,
    tiny: float = 1e-5,
    exact: float = 0.1 + 0.2,
    offset: float = -12.5,
    many: Annotated[int, Field(ge=2, le=65536)] = 256,
    seed: int = 2**40,
    on: bool = True,
    kind: Literal["a", "b"] = "b",
    count: Literal[1, 2, 3] = 2,
    text: str = "hello",
    folder: Annotated[Path, Field(json_schema_extra={"format": "directory-path"})] = Path(),
    window: tuple[int, int, float] = (3, 5, 0.25),
    rates: tuple[float, ...] = (1e-5, 2.0),
    names: tuple[str, ...] = (),
    colour: Annotated[Spec, Of(colours)] = MIXED,
):
    """Paint.

    Parameters
    ----------
    rate : float
        How fast it learns.
    """


@pytest.fixture
def entry(monkeypatch):
    monkeypatch.setattr(
        "napari_segment.widgets.forms.form.REGISTRIES", {**REGISTRIES, "colours": colours}
    )
    return Entry("methods", "paint", "Paint", paint)


def defaults(entry):
    return {
        name: getattr(entry.settings.model_construct(), name)
        for name, info in entry.settings.model_fields.items()
        if not info.is_required()
    }


def plain(value):
    return value.model_dump(mode="json") if isinstance(value, Spec) else value


def test_every_type_shows_its_default(entry):
    form = Form(entry)
    shown = form.settings
    assert entry.validate(shown) == entry.validate({})
    assert shown["rate"] == 3e-4
    assert form.fields["rate"].native.text() == "0.0003"
    assert form.fields["tiny"].native.text() == "1e-05"
    assert shown["exact"] == 0.1 + 0.2
    assert shown["seed"] == 2**40
    assert shown["count"] == 2
    assert shown["colour"].settings["steps"] == 7
    assert form.fields["rate"].native.toolTip() == "<p>How fast it learns.</p>"


@pytest.mark.parametrize(("kind", "name"), ALL)
def test_form_of_every_entry_equals_its_defaults(kind, name):
    entry = REGISTRIES[kind][name]
    required = {n for n, info in entry.settings.model_fields.items() if info.is_required()}
    shown = {n: v for n, v in Form(entry).settings.items() if n not in required}
    assert set(shown) == set(entry.settings.model_fields) - required
    if not required:
        assert plain(entry.spec(shown)) == plain(entry.spec({}))


def either(
    *,
    count: Annotated[int, Field(ge=2)] | Literal["auto"] = "auto",
    rates: tuple[float, ...] | Literal["auto"] = (0.5,),
    start: Annotated[Path, Field(json_schema_extra={"format": "file-path"})]
    | Literal["none"] = "none",
):
    """Decide."""


def test_a_literal_is_chosen_or_a_value_set():
    entry = Entry("methods", "either", "Either", either)
    form = Form(entry)
    changes = []
    form.changed.connect(lambda: changes.append(form.settings))
    assert form.settings == {"count": "auto", "rates": (0.5,), "start": "none"}
    count, start = form.fields["count"], form.fields["start"]
    assert count.menu.currentText() == "automatic"
    assert count.field.native.isHidden()
    assert not start.field.folder
    count.menu.setCurrentText("set to")
    assert not count.field.native.isHidden()
    assert form.settings["count"] == 2  # the least that is allowed
    form.settings = {"count": 7, "rates": "auto", "start": "a.pt"}
    assert entry.validate(form.settings) == {"count": 7, "rates": "auto", "start": Path("a.pt")}
    form.settings = {"count": "auto"}
    assert changes[-1]["count"] == "auto"


def test_bounds_hold(entry):
    form = Form(entry)
    form.fields["many"].native.setValue(1)
    form.settings = {"rate": -3.0}
    assert form.settings["many"] == 2
    assert form.settings["rate"] > 0


def test_typed_lists_are_read_and_wrong_ones_refused(entry):
    form = Form(entry)
    form.fields["rates"].native.setText("1, 2.5,3e-4")
    assert form.settings["rates"] == (1.0, 2.5, 3e-4)
    form.fields["rates"].native.setText("1, two")
    with pytest.raises(SettingError, match="rates"):
        form.spec()


def test_number_steps_by_a_tenth_of_its_size(entry):
    box = Form(entry).fields["rate"].native
    box.stepBy(1)
    assert box.value() == 3.1e-4
    box.stepBy(-2)
    assert box.value() == 2.9e-4


def test_menu_keeps_each_entry_settings(entry):
    menu = EntryMenu(list(colours.values()))
    seen = []
    menu.changed.connect(seen.append)
    assert menu.menu.findText("PLAIN") >= 0
    menu.value = {"name": "grey", "settings": {"level": 0.25}}
    menu.name = "mixed"
    menu.name = "grey"
    assert menu.value == Spec(name="grey", settings={"level": 0.25})
    assert "mixed" in seen
    menu.value = "grey"
    assert menu.value.settings == {"level": 0.5}
    with pytest.raises(ValueError, match="offer"):
        menu.name = "purple"


def test_step_list_adds_moves_and_removes(monkeypatch):
    monkeypatch.setattr(
        "napari_segment.widgets.forms.form.REGISTRIES", {**REGISTRIES, "colours": colours}
    )
    steps = StepList("colours")
    changes = []
    steps.changed.connect(changes.append)
    steps.value = ["grey", ("mixed", {"steps": 9})]
    assert [s.name for s in steps.value] == ["grey", "mixed"]
    steps._move(steps.menus[1], -1)
    assert [s.name for s in steps.value] == ["mixed", "grey"]
    assert steps.value[0].settings["steps"] == 9
    steps._drop(steps.menus[0])
    steps.add("mixed")
    assert [s.name for s in steps.value] == ["grey", "mixed"]
    assert len(changes) == 4


def test_what_no_box_can_hold_is_refused():
    check_shown(Spec(name="kmeans", settings={"seed": 2**53, "tolerance": 1e300, "on": True}))
    with pytest.raises(InputError, match="'seed' of 'kmeans' is 9007199254740993"):
        check_shown(Spec(name="kmeans", settings={"seed": 2**53 + 1}))
    with pytest.raises(InputError, match="'value' of 'manual'"):
        check_shown(Spec(name="manual", settings={"value": -2e300}))


def test_the_tab_key_goes_from_top_to_bottom(qtbot):
    form = QWidget()
    qtbot.addWidget(form)
    column = QVBoxLayout(form)
    steps, method = StepList("filters"), EntryMenu(list(REGISTRIES["methods"].values()))
    column.addWidget(steps.native)
    column.addWidget(method.native)
    form.show()
    steps.value = ["gaussian", "median"]
    steps._move(steps.menus[0], 1)
    order_tabs(form)
    wanted = [menu.menu for menu in steps.menus] + [steps.button, method.menu]
    widget, visited = wanted[0], []
    for _ in range(200):
        visited += [widget] if widget in wanted else []
        widget = widget.nextInFocusChain()
    assert visited[:4] == wanted
