"""The stub of the verbs is what the registry says, and type checkers take it."""

import importlib.util
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

import napari_segment as ns
from napari_segment.api import edge_points
from napari_segment.deep.training import ENTRY
from napari_segment.registry import methods

ROOT = Path(__file__).parents[2]
RIGHT = """
from napari_segment import segment, train, Labels

labels: Labels = segment("cells.tif", "otsu", bins=64, cleanups=["fill_holes"], apply_to="plane")
also: Labels = segment("cells.tif", "watershed", depth=0.2, markers="markers.tif")
name: str = "mine"
third: Labels = segment("cells.tif", (name, {"share": 0.2}))
training = train(("images", "labels"), out="run", seed=3)
"""
# The stub is checked, and the types that it names at the front; not what stands behind it.
CHECKER = """
[mypy]
strict = true
ignore_missing_imports = true
follow_imports = silent
[mypy-torch.*,napari.*,pandas.*,dask.*,napari_segment.classical.*,napari_segment.deep.*]
follow_imports = skip
[mypy-napari_segment.engine.*,napari_segment.exchange.*,napari_segment.io.*]
follow_imports = skip
[mypy-napari_segment.results.*]
follow_imports = skip
"""
WRONG = [
    'segment("cells.tif", "otsu", bin=64)',
    'segment("cells.tif", "otsu", bins="many")',
    'segment("cells.tif", "otsu", apply_to="slice")',
    'train(("images", "labels"), sed=3)',
]


def script():
    spec = importlib.util.spec_from_file_location(
        "make_signatures", ROOT / "scripts" / "make_signatures.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_stub_is_what_the_script_makes():
    made = script()
    assert made.STUB.read_text("utf-8") == made.stub(), "Run python scripts/make_signatures.py."


def test_training_has_an_explicit_signature():
    names = [p.name for p in inspect.signature(ns.train).parameters.values()]
    assert names == ["pairs", *ENTRY.settings.model_fields]


def test_edge_points_has_the_settings_of_canny():
    given = inspect.signature(edge_points).parameters
    for name, field in methods["canny"].settings.model_fields.items():
        assert given[name].default == field.default


@pytest.mark.slow
def test_a_type_checker_takes_right_calls_and_refuses_wrong_ones(tmp_path):
    sample = tmp_path / "sample.py"
    sample.write_text(RIGHT + "\n".join(WRONG) + "\n", "utf-8")
    (tmp_path / "mypy.ini").write_text(CHECKER)
    command = [sys.executable, "-m", "mypy", "--config-file", "mypy.ini"]
    environment = {**os.environ, "MYPYPATH": str(ROOT / "src")}
    done = subprocess.run(
        [*command, "--cache-dir", str(tmp_path / "cache"), str(sample)],
        capture_output=True, text=True, cwd=tmp_path, env=environment, check=False,
    )  # fmt: skip
    first = RIGHT.count("\n") + 1
    lines = {
        int(line.split(":")[1])
        for line in done.stdout.splitlines()
        if line.startswith("sample.py") and ": error:" in line
    }
    assert lines == set(range(first, first + len(WRONG))), done.stdout + done.stderr


def test_an_editor_completes_the_settings_of_a_method():
    jedi = pytest.importorskip("jedi")
    code = 'from napari_segment import segment\nsegment("cells.tif", "otsu", bi'
    project = jedi.Project(ROOT / "src")
    names = {c.name for c in jedi.Script(code, project=project).complete()}
    assert "bins=" in names
