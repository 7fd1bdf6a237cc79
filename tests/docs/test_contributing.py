"""The files that CONTRIBUTING names for five changes are there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_named_file_exists():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    table = text.split("## Where a change goes")[1].split("## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) == 5
    for row in rows:
        paths = re.findall(r"`([\w/.]+(?:\.py|\.yaml|/))`", row)
        assert 1 <= len(paths) <= 3
        for path in paths:
            assert (ROOT / "src" / "napari_segment" / path).exists(), path
