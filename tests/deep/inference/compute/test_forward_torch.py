"""Forward passes in parts, and the number type of each device."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from napari_segment.deep.inference.compute.forward_torch import (
    autocast,
    forward_in_parts,
    precision_message,
)


def three(block):
    """A network without neighbourhood: tiling cannot change its outputs."""
    return torch.cat([block, 0.3 - 0.5 * block, block**2 - 0.4], 1)


@pytest.fixture
def image():
    return np.random.default_rng(0).normal(size=(1, 30, 41, 50)).astype(np.float32)


def test_parts_of_a_tile_make_the_tile(image):
    block = torch.from_numpy(image)[None]
    assert torch.allclose(forward_in_parts(three, block, (16, 12, 30)), three(block), atol=1e-5)


def test_a_gpu_without_bfloat16_computes_in_float16_and_says_so(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda emulated: False)
    devices = ["cuda:0", "cpu", "cuda:1"]
    assert precision_message(devices, "bfloat16") == (
        "cuda:0 has no bfloat16: going on in float16. cuda:1 has no bfloat16: going on in float16."
    )
    assert precision_message(devices, "float16") == ""
    monkeypatch.setattr(torch, "autocast", lambda kind, dtype: (kind, dtype))
    assert autocast(torch.device("cuda:0"), "bfloat16") == ("cuda", torch.float16)
    assert autocast(torch.device("cpu"), "bfloat16") == ("cpu", torch.bfloat16)


@pytest.mark.parametrize("precision", ["auto", "float32", "bfloat16", "float16"])
def test_nothing_is_said_where_the_precision_is_as_requested(precision):
    assert precision_message(["cpu"], precision) == ""
