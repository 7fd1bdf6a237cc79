"""Several processes train one network."""

import csv
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from shared.trainings import TINY, discs

from napari_segment.deep.training import train
from napari_segment.step import run

SETTINGS = {
    "model": TINY, "epochs": 2, "steps": 6, "lr": 0.01, "device": "cpu", "workers": 0,
    "precision": "float32", "augment": "none", "balance": 0.0,
}  # fmt: skip
TOGETHER = """
    import sys
    sys.path.insert(0, {here!r})
    from shared.trainings import discs
    from napari_segment.deep.training import train
    from napari_segment.step import run
    run(train(discs(), out={out!r}, batch=2, **{settings!r}))
"""


def curves(folder):
    with (folder / "curves.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    """Two processes of two patches each do what one does with four."""
    alone, together = tmp_path / "alone", tmp_path / "together"
    run(train(discs(), out=alone, batch=4, **SETTINGS))
    script = tmp_path / "together.py"
    here = str(Path(__file__).parents[2])
    text = textwrap.dedent(TOGETHER).format(here=here, out=str(together), settings=SETTINGS)
    script.write_text(text, "utf-8")
    launcher = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    done = subprocess.run(
        [*launcher, "--master-port", "29503", str(script)],
        check=False, capture_output=True, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for one, two in zip(curves(alone), curves(together), strict=True):
        assert float(two["dice"]) == pytest.approx(float(one["dice"]), abs=0.02)
        assert float(two["epoch"]) == float(one["epoch"])
