"""Decoders against formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_segment.deep.inference import (
    Slab,
    argmax,
    entropy,
    predict,
    probabilities,
    thresholded,
)
from napari_segment.errors import SettingError
from napari_segment.step import run


def three(block):
    """A network without neighbourhood: tiling cannot change its outputs."""
    return torch.cat([block, 0.3 - 0.5 * block, block**2 - 0.4], 1)


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def whole(network, image):
    return network(torch.from_numpy(image)[None])[0].numpy()


def test_probabilities_and_entropy(image):
    want = torch.from_numpy(whole(three, image)).softmax(0).numpy()
    got = run(predict(three, image, tile=(16, 24, 24), decode=probabilities("softmax")))
    assert np.allclose(got, want, atol=1e-5)
    doubt = run(predict(three, image, tile=(16, 24, 24), decode=entropy("softmax")))
    assert np.allclose(doubt, -(want * np.log(want)).sum(0) / np.log(3), atol=1e-5)


def test_thresholds_decide_class_by_class():
    flat = np.zeros((1, 4, 4), np.float32)
    logits = torch.log(torch.tensor([0.5, 0.3, 0.2])).reshape(1, 3, 1, 1)

    def network(block):
        return logits.expand(len(block), 3, *block.shape[2:])

    def label(*thresholds):
        return run(predict(network, flat, tile=(4, 4), decode=thresholded(thresholds)))[0, 0]

    assert label(0.6, 0.6) == 0
    assert label(0.25, 0.6) == 1
    assert label(0.25, 0.1) == 2  # 0.2 is twice its threshold
    with pytest.raises(SettingError, match="3 thresholds"):
        label(0.1, 0.1, 0.1)


def test_multi_label_channels_are_classes_of_their_own():
    flat = np.zeros((1, 4, 4), np.float32)

    def network(block):
        return torch.tensor([-1.0, 2.0]).reshape(1, 2, 1, 1).expand(len(block), 2, 4, 4)

    got = run(predict(network, flat, tile=(4, 4), decode=thresholded((0.5,), "sigmoid")))
    assert (got == 2).all()


def test_argmax_holds_more_than_256_classes():
    values = torch.zeros(300, 2, 2)
    values[299] = 1
    assert (argmax(Slab(values, (slice(0, 2), slice(0, 2)), ())) == 299).all()


@pytest.mark.parametrize("classes", [2, 5, 300])
def test_argmax_takes_the_first_of_equal_outputs(classes):
    values = torch.randint(0, 3, (classes, 6, 7, 8), generator=torch.Generator().manual_seed(0))
    index = argmax(Slab(values.float(), (slice(0, 6), slice(0, 7), slice(0, 8)), ()))
    assert np.array_equal(index, values.numpy().argmax(0))
