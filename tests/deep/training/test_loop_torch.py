"""The loop over epochs: its end, and what it begins from."""

import time

import dask
import dask.array as da
import numpy as np
import pytest
from shared.trainings import discs, losses_of, short

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.training import train
from napari_segment.errors import MissingError, SettingError
from napari_segment.image import Image, Labels
from napari_segment.step import run


def test_the_time_limit_is_respected(trained, tmp_path):
    begun = time.monotonic()
    steps, checkpoint = short(discs(), tmp_path, epochs=0, minutes=0.1)
    assert 3 < time.monotonic() - begun < 60  # a loaded machine starts late
    rates = [s.numbers["lr"] for s in steps if "lr" in s.numbers and "dice" not in s.numbers]
    assert rates[-1] < 0.3 * max(rates)
    assert checkpoint.scores["dice"] > 0


def test_fine_tuning_with_other_classes_and_channels(trained, tmp_path):
    pairs = [
        (Image(np.stack([i.data, i.data]), "CYX"), Labels((m.data > 0).astype(np.uint8)))
        for i, m in discs(5)
    ]
    steps, checkpoint = short(
        pairs, tmp_path / "fine", init_from=str(trained[1].folder), task="classes", epochs=1
    )
    assert checkpoint.channels_out == 1
    fresh, _ = short(pairs, tmp_path / "fresh", task="classes", epochs=1)
    assert np.mean(losses_of(steps)) < np.mean(losses_of(fresh))


def test_another_model_is_no_start(trained, tmp_path):
    with pytest.raises(SettingError, match="another model"):
        short(
            discs(), tmp_path, init_from=str(trained[1].folder),
            model=("unet", {"features": (6, 12, 24)}),
        )  # fmt: skip


def test_weights_are_looked_for_before_the_cases_are_read(tmp_path):
    unread = da.from_delayed(dask.delayed(pytest.fail)("read"), (1, 32, 32), np.uint8)
    pairs = [(Image(unread, "CYX"), np.zeros((32, 32), np.uint8))]
    model = ("smp_unet", {"weights": str(tmp_path / "none.safetensors")})
    with pytest.raises(MissingError, match="no file of weights"):
        run(train(pairs, out=tmp_path / "run", model=model))
    assert not (tmp_path / "run").exists()


def test_an_encoder_of_chance_is_not_frozen_for_good(tmp_path):
    model = ("smp_unet", {"encoder": "mobilenet_v2", "depth": 3, "frozen_epochs": -1})
    more = {"model": model, "epochs": 1, "steps": 1, "ndim": "2"}
    with pytest.raises(SettingError, match="frozen_epochs=0"):
        short(discs(2), tmp_path / "run", **more)
    assert not (tmp_path / "run").exists()
    learnt = ("smp_unet", {**model[1], "frozen_epochs": 0})
    short(discs(2), tmp_path / "first", **{**more, "model": learnt})
    short(discs(2), tmp_path / "run", **more, init_from=str(tmp_path / "first"))
    assert Checkpoint.load(tmp_path / "run").network().frozen_epochs == -1


def test_patience_ends_a_training_that_has_stopped_to_improve(tmp_path):
    steps, _ = short(discs(), tmp_path, epochs=30, steps=1, lr=1e-9, patience=2, ema=0)
    assert max(s.numbers.get("epoch", 0) for s in steps) < 10
