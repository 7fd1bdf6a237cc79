"""Free memory, in containers too."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from napari_segment.blocks import memory


def group(folder: Path, limit: str, used: int, cache: int) -> Path:
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used - cache}\ninactive_file {cache}\n")
    return folder


def test_a_container_has_what_its_limit_leaves(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_GROUP", group(tmp_path, "1000000", 700_000, 200_000))
    assert memory.free_memory() == 500_000
    group(tmp_path, "1000000", 1_200_000, 0)
    assert memory.free_memory() == 0


@pytest.mark.parametrize("limit", ["max", ""])
def test_without_a_limit_it_is_the_machine_s(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(memory, "_GROUP", group(tmp_path, limit, 0, 0))
    assert memory.free_memory() == pytest.approx(psutil.virtual_memory().available, rel=0.2)
    monkeypatch.setattr(memory, "_GROUP", tmp_path / "none")
    assert memory.free_memory() > 1e6
