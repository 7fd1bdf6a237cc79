"""Run, and at a random moment cancel, delete the layer, close the dock or kill the worker.

    python random_runs.py RUNS SEED

Prints what happened as JSON. Temporary files go to TMPDIR, where the caller counts what is left.
"""

import json
import os
import random
import signal
import sys
import time
import warnings
from collections import Counter

import napari
import numpy as np
import psutil
from napari.utils.notifications import ErrorNotification, notification_manager
from qtpy.QtCore import QTimer
from vispy.gloo.glir import GlirProgram

from napari_segment.widgets.jobs.job import process

ENDED = 60  # seconds within which each run has ended
ACTIONS = {"wait": 2, "cancel": 4, "delete": 2, "close": 2, "kill": 1}  # how often


class RandomRuns:
    """One run after another, each disturbed by an action at a random moment."""

    def __init__(self, runs, seed):
        self.runs, self.random = runs, random.Random(seed)
        self.counts, self.left = Counter(), runs
        self.numbers = np.random.default_rng(seed)
        self.data = self.numbers.integers(0, 65535, (40, 768, 768), dtype=np.uint16)
        self.viewer = napari.Viewer()
        self.layer = self.dock_widget = self.dock = None
        self.began = time.monotonic()
        QTimer.singleShot(0, self.begin)

    def begin(self):
        """Open what an earlier action closed, and press Run."""
        if not self.left:
            self.viewer.close()
            return
        self.left -= 1
        if self.layer is None:
            self.layer = self.viewer.add_image(self.data, name="stack")
        if self.dock is None:
            self.dock_widget, self.dock = self.viewer.window.add_plugin_dock_widget(
                "napari-segment", "Threshold"
            )
        self.dock.live.box.setChecked(self.random.random() < 0.5)
        self.data[0, 0, 0] += 1  # other pixels, which are written anew
        self.began = time.monotonic()
        self.dock.running.button.click()
        longest = self.random.choice((40, 200, 1000))
        QTimer.singleShot(self.random.randrange(longest), self.act)

    def act(self):
        """Disturb the run."""
        (action,) = self.random.choices(list(ACTIONS), list(ACTIONS.values()))
        self.counts[action + (" while running" if self.dock.running.job else " when done")] += 1
        getattr(self, action)()
        QTimer.singleShot(self.random.randrange(100), self.wait_for_end)

    def wait(self):
        """Let the run end by itself."""

    def cancel(self):
        self.dock.running.cancel_button.click()

    def delete(self):
        self.viewer.layers.remove(self.layer)
        self.layer = None

    def close(self):
        self.dock_widget.destroyOnClose()
        self.dock_widget = self.dock = None

    def kill(self):
        if pid := process().pid:
            os.kill(pid, signal.SIGKILL)

    def wait_for_end(self):
        """Begin the next run when this one has ended; that of a closed dock may still be ending."""
        if self.dock is not None and self.dock.running.job is not None:
            if time.monotonic() - self.began > ENDED:
                self.counts["stuck"] += 1
                self.viewer.close()
                return
            QTimer.singleShot(20, self.wait_for_end)
            return
        for layer in [layer for layer in self.viewer.layers if layer is not self.layer]:
            self.viewer.layers.remove(layer)
        self.begin()


def main():
    warnings.simplefilter("ignore")
    GlirProgram.delete = lambda self: None  # as in conftest.py: a crash of Mesa's software GL
    runs = RandomRuns(int(sys.argv[1]), int(sys.argv[2]))
    napari.run()
    errors = [r for r in notification_manager.records if isinstance(r, ErrorNotification)]
    children = [child.pid for child in psutil.Process().children(recursive=True)]
    report = {
        "runs": runs.runs - runs.left, "actions": dict(runs.counts),
        "errors": [record.as_text() for record in errors], "processes": children,
    }  # fmt: skip
    print(json.dumps(report))


if __name__ == "__main__":
    main()
