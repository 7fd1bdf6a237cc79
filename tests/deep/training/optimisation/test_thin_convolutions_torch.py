"""Convolutions over thin inputs have right gradients under reduced precision."""

from copy import deepcopy

import pytest
import torch
from torch import nn

from napari_segment.deep.training.optimisation.thin_convolutions_torch import spare_thin_inputs


def gradients(network, image, mixed):
    with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
        result = network(image)
    result.float().square().mean().backward()
    actual = [p.grad for p in network.parameters()]
    for parameter in network.parameters():
        parameter.grad = None
    return result.dtype, actual


def poison():
    """Leave NaN in the memory that comes next."""
    for size in (1 << n for n in range(12, 19)):
        held = [torch.full((size,), float("nan")) for _ in range(4)]
        del held


@pytest.mark.parametrize("shape", [(2, 6, 6), (4, 4, 4), (1, 1, 1), (6, 6, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_the_gradient_is_that_of_float32(shape, stride):
    torch.manual_seed(0)
    network = nn.Sequential(
        nn.Conv3d(8, 16, 3, stride, 1), nn.ReLU(), nn.Conv3d(16, 4, 1, bias=False)
    ).to(memory_format=torch.channels_last_3d)
    image = torch.randn(2, 8, *shape).to(memory_format=torch.channels_last_3d)
    _, expected = gradients(network, image, mixed=False)
    spare_thin_inputs(network)
    for _ in range(5):
        poison()
        dtype, actual = gradients(network, image, mixed=True)
        assert dtype == torch.bfloat16
        for one, other in zip(actual, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=0.1, atol=0.05 * float(other.abs().max()))


def test_weights_keep_their_names_and_copies_their_own_weights():
    network = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, bias=False))
    names = list(network.state_dict())
    spare_thin_inputs(network)
    assert list(network.state_dict()) == names
    twin = deepcopy(network)
    with torch.no_grad():
        twin[0].weight.zero_()
    assert twin(torch.ones(1, 1, 4, 4)).abs().max() == 0
    assert network(torch.ones(1, 1, 4, 4)).abs().max() > 0
