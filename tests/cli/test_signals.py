"""What a scheduler sends ends a command as Ctrl+C does."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import napari_segment as ns
from napari_segment import cli

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no such signals")
# A command that says when it has begun, and then waits as long work does.
WAITING = """
import sys, time
from napari_segment import cli
from napari_segment.cli import filter
def waits(options):
    try:
        print("begun", flush=True)
        time.sleep(60)
    finally:
        print("cleared", flush=True)
filter.filter_files = waits
sys.exit(cli.main(["filter", "a.tif", "-o", "b.tif"]))
"""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_signals_end_like_an_interruption(name):
    process = subprocess.Popen([sys.executable, "-c", WAITING], stdout=-1, stderr=-1, text=True)
    assert process.stdout.readline() == "begun\n"
    process.send_signal(getattr(signal, name))
    out, error = process.communicate(timeout=30)
    assert (process.returncode, out, error) == (cli.INTERRUPTED, "cleared\n", "Interrupted.\n")


def test_handlers_are_given_back(tmp_path):
    before = signal.getsignal(signal.SIGTERM)
    ns.write(ns.Image(np.zeros((4, 4), np.uint8)), tmp_path / "a.tif")
    assert cli.main(["list", "methods"]) == 0
    assert signal.getsignal(signal.SIGTERM) == before


def test_terminated_worker_ends_its_job(tmp_path):
    command = [sys.executable, "-P", "-m", "napari_segment.worker"]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert "ready" in process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    started = time.monotonic()
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - started < 5
    process.communicate()
