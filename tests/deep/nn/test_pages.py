"""The manual names every model and loss."""

from pathlib import Path

import pytest

from napari_segment.registry import REGISTRIES

PAGES = Path(__file__).parents[3] / "docs"


@pytest.mark.parametrize("kind", ["losses", "models"])
def test_every_entry_is_in_the_manual(kind):
    text = (PAGES / f"{kind}.md").read_text("utf-8")
    ours = [e.name for e in REGISTRIES[kind].values() if e.source.startswith("napari_segment.")]
    assert not [name for name in ours if f"| `{name}` |" not in text]
