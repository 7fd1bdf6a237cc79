"""The table of formats in the documentation is that of the code."""

import re
from pathlib import Path

from napari_segment.io import formats

PAGE = Path(__file__).parents[2] / "docs" / "files.md"


def test_suffixes_of_the_documentation():
    table = PAGE.read_text("utf-8").split("## Formats")[1].split("\n*Lazy*")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("|")][2:]
    told = {s: row[4].strip() != "no" for row in rows for s in re.findall(r"`([^`]+)`", row[2])}
    assert told == {suffix: form.writes for form in formats.values() for suffix in form.suffixes}
