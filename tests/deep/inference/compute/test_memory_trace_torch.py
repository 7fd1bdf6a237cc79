"""Peak memory of a network on the meta device."""

from __future__ import annotations

import torch

from napari_segment.deep.inference.compute.memory_trace_torch import trace


class Doubled(torch.nn.Module):
    """Two channels from one; counts its calls."""

    calls = 0

    def forward(self, block):
        type(self).calls += 1
        return torch.cat([block, block], 1)


def test_the_peak_is_the_sum_of_live_tensors():
    peak, channels = trace(Doubled(), (1, 1, 10, 10))
    assert peak == 2 * 100 * 4  # the output; the input is the caller's
    assert channels == 2
    assert trace(lambda _: 1 / 0, (1, 1, 10, 10)) == (0, 1)


def test_a_network_is_traced_once_for_each_shape():
    network, other = Doubled(), Doubled()
    Doubled.calls = 0
    assert len({trace(network, (1, 1, 8, 8)) for _ in range(5)}) == 1
    assert Doubled.calls == 1
    assert trace(network, (2, 1, 8, 8))[0] == 2 * trace(network, (1, 1, 8, 8))[0]
    assert Doubled.calls == 2
    trace(other, (1, 1, 8, 8))
    assert Doubled.calls == 3
