"""Several processes train one network."""

import csv
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TOGETHER = """
    import sys
    sys.path.insert(0, {here!r})
    from shared.trainings import TINY, discs
    from napari_segment.deep.training import train
    from napari_segment.step import run
    run(train(discs(), out={out!r}, model=TINY, epochs=2, steps=6, batch={batch}, lr=0.01,
              device="cpu", workers=0, precision="float32", augment="none", balance=0.0))
"""


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    """Two processes of two patches each do what one does with four."""
    here = str(Path(__file__).parents[2])
    rows = {}
    for processes, batch in ((1, 4), (2, 2)):
        out = tmp_path / f"of {processes}"
        script = tmp_path / f"train_{processes}.py"
        script.write_text(
            textwrap.dedent(TOGETHER).format(here=here, out=str(out), batch=batch), "utf-8"
        )
        launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node"]
        done = subprocess.run(
            [*launcher, str(processes), "--master-port", str(29501 + processes), str(script)],
            check=False, capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        rows[processes] = list(csv.DictReader((out / "curves.csv").open()))
    for one, two in zip(rows[1], rows[2], strict=True):
        assert float(two["dice"]) == pytest.approx(float(one["dice"]), abs=0.02)
        assert float(two["epoch"]) == float(one["epoch"])
