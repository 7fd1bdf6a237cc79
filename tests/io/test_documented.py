"""The table of formats in the documentation is that of the code."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from napari_segment.io import formats

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def test_suffixes_of_the_documentation():
    table = PAGE.read_text("utf-8").split("## Formats")[1].split("\n*Lazy*")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|")][2:]
    documented = {
        s: row[4].strip() != "no" for row in rows for s in re.findall(r"`([^`]+)`", row[2])
    }
    assert documented == {
        suffix: form.writes for form in formats.values() for suffix in form.suffixes
    }


def test_table_of_what_formats_hold():
    path = PAGE.parents[1] / "scripts" / "make_format_table.py"
    spec = spec_from_file_location("make_format_table", path)
    script = module_from_spec(spec)
    spec.loader.exec_module(script)
    made = PAGE.read_text("utf-8").split(script.START)[1].split(script.END)[0].strip()
    assert made == script.table()
