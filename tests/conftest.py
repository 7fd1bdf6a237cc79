"""Fixtures and skips for all tests."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

import pytest

# Trainings and segmentations of tests are noted here, not among the models of whoever runs them.
os.environ["NAPARI_SEGMENT_MODELS"] = tempfile.mkdtemp(prefix="napari-segment-models-")
atexit.register(shutil.rmtree, os.environ["NAPARI_SEGMENT_MODELS"], ignore_errors=True)
# Workers compile nothing in advance, which would take the processor from the tests.
os.environ["NAPARI_SEGMENT_COMPILE"] = "0"
# Before torch loads its runtime: threads that wait leave the processor to other programs.
os.environ.setdefault("GOMP_SPINCOUNT", "10000")

ROOT = Path(__file__).resolve().parents[1]


def data_folder() -> Path:
    """The folder of real data: NAPARI_SEGMENT_DATA, or ../shared/data next to the checkout."""
    return Path(os.environ.get("NAPARI_SEGMENT_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data."""
    return data_folder()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip, and say why, what this machine cannot run."""
    absent = pytest.mark.skip(reason=f"no real data in {data_folder()} (set NAPARI_SEGMENT_DATA)")
    no_screen = pytest.mark.skip(reason="no display: run under xvfb-run")
    nightly = pytest.mark.skip(reason="large: run with -m nightly")
    has_screen = bool(os.environ.get("DISPLAY")) or os.name == "nt"
    for item in items:
        if "realdata" in item.keywords and not data_folder().is_dir():
            item.add_marker(absent)
        if "screen" in item.keywords and not has_screen:
            item.add_marker(no_screen)
        if "nightly" in item.keywords and "nightly" not in (config.option.markexpr or ""):
            item.add_marker(nightly)
