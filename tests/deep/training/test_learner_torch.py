"""What a training survives: losses that break, overflows, too little memory."""

import numpy as np
import pytest
import torch
from shared.trainings import discs, losses_of, short

from napari_segment.deep.training.learner_torch import Learner
from napari_segment.errors import SegmentError
from napari_segment.registry import losses


def test_a_loss_that_breaks_goes_back_and_on_more_slowly(tmp_path, monkeypatch):
    calls = []
    original = Learner.parted_update

    def breaks_once(self, batch):
        calls.append(1)
        return float("nan") if len(calls) == 9 else original(self, batch)

    monkeypatch.setattr(Learner, "parted_update", breaks_once)
    steps, checkpoint = short(discs(), tmp_path, epochs=3)
    assert any("back to epoch 1, at half the rate" in s.message for s in steps)
    assert len(losses_of(steps)) == 18 + 2
    assert checkpoint.scores["dice"] > 0


def test_an_overflow_costs_one_update(tmp_path, monkeypatch):
    original, calls = Learner.loss_of, []

    class Infinite(torch.autograd.Function):
        @staticmethod
        def forward(context, value):
            return value.clone()

        @staticmethod
        def backward(context, gradient):
            return gradient * float("inf")

    def overflow(self, image, target):
        calls.append(1)
        value = original(self, image, target)
        return Infinite.apply(value) if len(calls) == 4 else value

    monkeypatch.setattr(Learner, "loss_of", overflow)
    steps, checkpoint = short(discs(), tmp_path, precision="float32")
    assert len(losses_of(steps)) == 12
    assert not any("not a number" in s.message for s in steps)
    assert np.isfinite(checkpoint.scores["dice"])


def test_a_loss_that_is_always_broken_ends_with_a_message(tmp_path):
    before = losses.snapshot()
    try:

        @losses.add("broken", title="Broken")
        def broken():
            """Give NaN."""
            return lambda logits, target: logits.sum() * float("nan")

        with pytest.raises(SegmentError, match="smaller learning rate"):
            short(discs(), tmp_path, loss="broken")
    finally:
        losses.restore(before)


def test_out_of_memory_goes_on_in_smaller_parts(tmp_path, monkeypatch):
    original = Learner.loss_of

    def limited(self, image, target):
        if len(image) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return original(self, image, target)

    whole, _ = short(discs(), tmp_path / "whole", epochs=1, precision="float32")
    monkeypatch.setattr(Learner, "loss_of", limited)
    steps, _ = short(discs(), tmp_path / "parts", epochs=1, precision="float32")
    said = [s.message for s in steps if "out of memory" in s.message]
    assert "1 patches at once, 4 for an update" in said[-1]
    assert len(losses_of(steps)) == len(losses_of(whole)) == 6
