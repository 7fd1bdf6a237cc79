"""Gated-SCNN."""

import pytest
import torch

from napari_segment.deep.nn import models as deep_models

# Settings that make each network small; the contract is the same.


@pytest.fixture(scope="module")
def gated():
    torch.manual_seed(0)
    return deep_models.build(("gated_scnn", {"encoder": "resnet18", "features": 16}), 1, 2, 2)


def test_gates_are_between_0_and_1(gated):
    seen = []
    layers = [g.gate for g in gated.net.shape.gates]
    hooks = [g.register_forward_hook(lambda m, i, o: seen.append(o)) for g in layers]
    logits, edge = gated.train()(torch.randn(1, 1, 50, 41) * 10)
    for hook in hooks:
        hook.remove()
    assert logits.shape == (1, 2, 50, 41)
    assert edge.shape == (1, 1, 50, 41)
    assert len(seen) == 3
    assert all(float(g.detach().min()) >= 0 and float(g.detach().max()) <= 1 for g in seen)


def test_the_edges_teach_the_shape_stream_and_the_encoder(gated):
    target = torch.zeros(1, 2, 50, 41)
    target[:, 1, 10:30, 10:30] = 1
    target[:, 0] = 1 - target[:, 1]
    gated.zero_grad()
    outputs = gated.train()(torch.rand(1, 1, 50, 41))
    gated.net.auxiliary(outputs, target).backward()
    assert gated.net.shape.edge.weight.grad.any()
    assert gated.net.encoder.conv1.weight.grad.any()


def test_edges_of_a_box():
    from napari_segment.deep.nn.models._gated_scnn import edge_loss, edges_of, gradient

    target = torch.zeros(1, 1, 7, 7)
    target[..., 2:5, 2:5] = 1
    edges = edges_of(target)
    assert int(edges.sum()) == 24  # all of the 5 x 5 block but its centre
    assert edges[0, 0, 3, 3] == 0
    known = torch.ones(1, 1, 7, 7)
    assert float(edge_loss(edges * 40 - 20, target, known)) < 1e-6
    assert float(edge_loss(20 - edges * 40, target, known)) > 5
    assert float(gradient(target).max()) == pytest.approx(1)
    assert gradient(target)[0, 0, 3, 3] < 1e-4
