import ast
import tomllib
from importlib import metadata
from pathlib import Path

import yaml

import napari_segment
from napari_segment.distribution import DISTRIBUTION, version

SOURCE = Path(napari_segment.__file__).parent
PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"


def test_the_constant_is_the_name_of_the_project_and_of_the_plugin():
    project = tomllib.loads(PYPROJECT.read_text("utf-8"))["project"]
    manifest = yaml.safe_load((SOURCE / "napari.yaml").read_text("utf-8"))
    assert project["name"] == manifest["name"] == DISTRIBUTION
    assert list(project["entry-points"]["napari.manifest"]) == [DISTRIBUTION]


def test_the_version_is_that_of_the_installed_distribution():
    assert version() == metadata.version(DISTRIBUTION)


def test_no_module_asks_for_the_distribution_or_the_plugin_by_a_literal_name():
    looked_up = [file.name for file in SOURCE.rglob("*.py") if DISTRIBUTION in literals(file)]
    assert looked_up == []


def literals(file):
    """Constant first arguments of calls that take the name of the distribution or plug-in."""
    named = ("version", "distribution", "add_plugin_dock_widget", "open_sample")
    calls = [n for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Call)]
    return [
        call.args[0].value
        for call in calls
        if getattr(call.func, "id", getattr(call.func, "attr", "")) in named
        and call.args
        and isinstance(call.args[0], ast.Constant)
    ]
