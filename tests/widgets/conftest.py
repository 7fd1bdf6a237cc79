"""A quiet place for windows: no settings of the user, no software GL traps."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

if not os.environ.get("DISPLAY") and os.name != "nt":
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ.setdefault("NAPARI_CONFIG", str(Path(tempfile.mkdtemp()) / "settings.yaml"))


@pytest.fixture(autouse=True, scope="session")
def _keep_gl_objects():
    """Mesa's software GL crashes when vispy deletes a program and then draws again."""
    from vispy.gloo.glir import GlirProgram

    GlirProgram.delete = lambda self: None
