"""The manifest: every name can be imported, every menu leads somewhere."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import yaml
from npe2 import PluginManifest

from napari_segment import samples

(POINT,) = [p for p in entry_points(group="napari.manifest") if p.name == "napari-segment"]


@pytest.fixture(scope="module")
def raw():
    package, file = POINT.value.split(":")
    path = Path(import_module(package).__path__[0]) / file
    return yaml.safe_load(path.read_text("utf-8"))


@pytest.fixture(scope="module")
def contributions(raw):
    return raw["contributions"]


def test_npe2_reads_it(raw):
    manifest = PluginManifest.from_distribution("napari-segment")
    manifest.validate_imports()
    assert manifest.name == "napari-segment"


def test_no_unknown_keys(contributions):
    known = {
        "commands", "widgets", "readers", "writers", "sample_data", "menus", "submenus"
    }  # fmt: skip
    assert set(contributions) <= known


def test_every_command_is_used_and_every_use_is_a_command(contributions):
    ids = [command["id"] for command in contributions["commands"]]
    assert len(ids) == len(set(ids))
    used = {
        item["command"]
        for menu in contributions["menus"].values()
        for item in menu
        if "command" in item
    }
    for key in ("widgets", "readers", "writers", "sample_data"):
        used |= {item["command"] for item in contributions[key]}
    assert used == set(ids)


def test_every_python_name_is_callable(contributions):
    for command in contributions["commands"]:
        module, name = command["python_name"].split(":")
        assert callable(getattr(import_module(module), name))


def test_submenus_resolve(contributions):
    declared = {submenu["id"] for submenu in contributions["submenus"]}
    linked = {
        i["submenu"] for menu in contributions["menus"].values() for i in menu if "submenu" in i
    }
    own = {menu for menu in contributions["menus"] if not menu.startswith("napari/")}
    assert declared == linked == own


def test_every_sample_is_offered(contributions):
    assert {sample["key"] for sample in contributions["sample_data"]} == set(samples.SAMPLES)


def test_widgets_are_named_once(contributions):
    names = [widget["display_name"] for widget in contributions["widgets"]]
    assert len(names) == len(set(names))
