"""Resumed trainings are exact; on other data they are refused, with every difference named."""

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch
from shared.trainings import TINY, discs, losses_of, short

from napari_segment.deep.training import train
from napari_segment.errors import InputError
from napari_segment.image import Image, Labels
from napari_segment.step import run

SHAPE = (32, 32)


def pairs(shape=SHAPE, values=(1, 2), channels=1, names=None, **world):
    """Three cases of two squares."""
    cases = []
    for seed in range(3):
        labels = np.zeros(shape, np.uint8)
        labels[..., 4:12, 4:12], labels[..., 16:24, 16:24] = values
        pixels = np.random.default_rng(seed).normal(labels, 1, (channels, *shape))
        axes = "CZYX" if len(shape) == 3 else "CYX"
        image = Image(pixels.astype(np.float32), axes, channels=names or (), **world)
        cases.append((image, Labels(labels, holds="classes", **world)))
    return cases


def begun(folder, cases, **settings):
    """A training that ends, as if it had been stopped, after its first epoch."""
    settings = {
        "model": ("unet", {"features": (4, 8)}), "epochs": 1, "steps": 1, "batch": 2,
        "device": "cpu", "log": [], "workers": 0, **settings,
    }  # fmt: skip
    return run(train(cases, out=folder, **settings))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("resume") / "run"
    begun(out, pairs(names=("dapi",), spacing=(0.5, 0.5), unit="micrometer"))
    return out


MICRONS = {"names": ("dapi",), "spacing": (0.5, 0.5), "unit": "micrometer"}


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"values": (7, 2), **MICRONS}, "the labels 0, 1, 2, these are with 7 and without 1"),
        ({"values": (1, 3), **MICRONS}, "these are with 3 and without 2"),
        ({**MICRONS, "channels": 2, "names": ("dapi", "gfp")}, r"1 channel\(s\) .*these.*have 2"),
        ({**MICRONS, "names": ("gfp",)}, "channels are dapi, those of these images gfp"),
        ({**MICRONS, "shape": (9, *SHAPE), "spacing": (1, 1, 1)}, "on 2-D images, these are 3-D"),
        ({"names": ("dapi",)}, "spacing is in micrometer, that of 'case 0' is not known"),
    ],
)  # fmt: skip
def test_other_data_are_refused(folder, other, said):
    before = sorted((p.name, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file())
    with pytest.raises(InputError, match=said):
        begun(folder, pairs(**other), resume=True, epochs=2)
    after = sorted((p.name, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file())
    assert after == before


def test_several_differences_are_said_at_once(folder):
    with pytest.raises(InputError, match=r"channel.*; .*spacing.*; .*with 9 and without 1"):
        begun(folder, pairs(channels=2, values=(9, 2)), resume=True, epochs=2)


def test_more_cases_and_other_units_of_length_are_no_difference(folder):
    more = pairs(names=("dapi",), spacing=(500, 500), unit="nanometer")
    begun(folder, [*more, *more], resume=True, epochs=2)


def test_resuming_goes_on_to_the_last_bit(tmp_path):
    dropout = ("unet", {**TINY[1], "dropout": 0.2})
    whole, straight = short(discs(), tmp_path / "whole", epochs=3, model=dropout)
    work = train(
        discs(), out=tmp_path / "cut", model=dropout, epochs=3, steps=6, batch=4, lr=0.01,
        device="cpu", workers=0,
    )  # fmt: skip
    seen = 0
    for step in work:
        seen += "loss" in step.numbers and "dice" not in step.numbers
        if seen == 9:  # in the middle of the second epoch
            break
    work.close()
    rest, resumed = short(discs(), tmp_path / "cut", epochs=3, model=dropout, resume=True)
    assert losses_of(rest) == losses_of(whole)[6:]
    one, other = (c.network().state_dict() for c in (straight, resumed))
    assert all(torch.equal(one[k], other[k]) for k in one)
    assert straight.scores == resumed.scores


SCRIPT = """
    import sys
    sys.path.insert(0, {here!r})
    from shared.trainings import TINY, discs
    from napari_segment.deep.training import train
    for step in train(discs(), out={out!r}, model=TINY, epochs=4, steps=6, batch=4, lr=0.01,
                      device="cpu", workers=0, resume=True):
        if "loss" in step.numbers and "dice" not in step.numbers:
            print(repr(step.numbers["loss"]), flush=True)
"""


@pytest.mark.slow
def test_a_killed_training_resumes_to_the_last_bit(tmp_path):
    expected = losses_of(short(discs(), tmp_path / "whole", epochs=4)[0])
    here = str(Path(__file__).parents[2])
    script = textwrap.dedent(SCRIPT).format(here=here, out=str(tmp_path / "killed"))
    # Sums depend on the number of threads, which a Dask cluster in this process may have set to 1.
    alike = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
    alike["OMP_NUM_THREADS"] = str(torch.get_num_threads())
    first = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=alike
    )
    lines = [first.stdout.readline() for _ in range(14)]
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert [float(x) for x in lines] == expected[:14]
    second = subprocess.run(
        [sys.executable, "-c", script], check=False, capture_output=True, text=True, env=alike
    )
    actual = [float(x) for x in second.stdout.split()]
    assert actual == expected[-len(actual) :]
    assert len(actual) in (12, 18)
