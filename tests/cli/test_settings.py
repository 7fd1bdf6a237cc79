"""Settings as text: lists, entries with settings of their own, and several of them."""

import argparse
import json
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from napari_segment.cli.settings import add_options, chosen, parse_spec, parse_value, training
from napari_segment.errors import SettingError, UnknownNameError
from napari_segment.registry import Entry, logs, losses


@pytest.fixture
def lines():
    """A log with settings, from elsewhere."""
    before = logs.snapshot()

    @logs.add("lines", title="Lines")
    def lines(folder, *, every: int = 1, columns: tuple[str, ...] = ()):
        """Write lines."""
        return print

    yield
    logs.restore(before)


def settings_of(*arguments):
    parser = argparse.ArgumentParser()
    add_options(parser, training(), skip=("out",))
    return training().validate(chosen(parser.parse_args(arguments), training()))


@pytest.mark.usefixtures("lines")
def test_logs_take_settings_and_may_be_several():
    actual = settings_of("--log", "tensorboard", "--log", "lines:every=5,columns=loss,dice")["log"]
    assert [spec.name for spec in actual] == ["tensorboard", "lines"]
    assert actual[1].settings == {"every": 5, "columns": ["loss", "dice"]}
    assert settings_of("--log", "")["log"] == ()
    assert [spec.name for spec in settings_of()["log"]] == ["tensorboard"]


@pytest.mark.usefixtures("lines")
def test_the_settings_of_a_run_folder_give_the_same_logs():
    model = training().settings.model_validate(settings_of("--log", "lines:every=5"))
    saved = json.loads(json.dumps(model.model_dump(mode="json")))
    assert saved["log"] == [{"name": "lines", "settings": {"every": 5, "columns": []}}]
    assert training().settings.model_validate(saved) == model


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize(
    ("text", "error"),
    [("lins", UnknownNameError), ("lines:evry=5", SettingError), ("lines:5", SettingError)],
)
def test_logs_that_do_not_fit(text, error):
    with pytest.raises(error):
        settings_of("--log", text)


def test_entries_inside_entries_stand_in_parentheses():
    text = "compound:parts=dice,(tversky:alpha=0.2,beta=0.8),weights=1,2"
    settings = parse_spec(text, losses).settings
    assert [part["name"] for part in settings["parts"]] == ["dice", "tversky"]
    assert settings["parts"][1]["settings"]["alpha"] == 0.2
    assert settings["weights"] == [1, 2]
    inner = "compound:parts=dice,(compound:parts=bce,(focal:gamma=1))"
    (_, part) = parse_spec(inner, losses).settings["parts"]
    assert part["settings"]["parts"][1]["settings"]["gamma"] == 1


@pytest.mark.parametrize("text", ["64,32", "(64, 32)", "[64,32]", " 64 , 32 "])
def test_lists_of_numbers(text):
    assert parse_value(training(), "patch", text) == ["64", "32"]


def test_help_names_the_default_entries(capsys):
    parser = argparse.ArgumentParser()
    add_options(parser, training())
    parser.print_help()
    help_text = " ".join(capsys.readouterr().out.split())
    assert "(default: tensorboard)" in help_text
    assert "--log NAME[:KEY=VALUE,…]" in help_text


def either(
    *,
    count: Annotated[int, Field(ge=1)] | Literal["auto"] = "auto",
    patch: tuple[int, ...] | Literal["auto"] = "auto",
    start: Path | Literal["none"] = "none",
):
    """Decide."""


def test_literals_and_values_are_typed_alike(capsys):
    entry = Entry("methods", "either", "Either", either)
    parser = argparse.ArgumentParser()
    add_options(parser, entry)
    given = parser.parse_args(["--count", "3", "--patch", "64,32", "--start", "runs/a"])
    assert entry.validate(chosen(given, entry)) == {
        "count": 3, "patch": (64, 32), "start": Path("runs/a"),
    }  # fmt: skip
    given = parser.parse_args(["--count", "auto", "--patch", "auto", "--start", "none"])
    assert entry.validate(chosen(given, entry)) == entry.validate({})
    parser.print_help()
    shown = " ".join(capsys.readouterr().out.split())
    assert "--count auto|N (default: auto)" in shown
    assert "--patch auto|A,B,…" in shown
    assert "--start none|PATH" in shown
