"""What every network keeps."""

import torch

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.nn import models as deep_models


def check_network(name, settings, ndim, channels_in, channels_out, size):
    """Shape, type, gradient and the loss of one network on one size."""
    net = deep_models.build((name, settings), channels_in, channels_out, ndim)
    image = torch.randn(1, channels_in, *size, generator=torch.Generator().manual_seed(0))
    shape = (1, channels_out, *size)
    target = torch.zeros(shape)
    target[:, -1, ..., size[-1] // 2 :] = 1
    if channels_out > 1:
        target[:, 0] = 1 - target[:, -1]
    outputs = net.train()(image)
    assert isinstance(outputs, list) == net.supervised
    first = outputs[0] if net.supervised else outputs
    assert first.shape == shape
    value = net.supervise(outputs, target, deep_losses.make("dice_ce"))
    value.backward()
    assert torch.isfinite(value)
    moved = [p for p in net.parameters() if p.grad is not None and p.grad.any()]
    assert len(moved) > 0.5 * len(list(net.parameters()))
    assert all(torch.isfinite(p.grad).all() for p in moved)
    with torch.inference_mode():
        logits = net.eval()(image)
    assert logits.shape == shape
    assert logits.dtype == torch.float32
    assert torch.isfinite(logits).all()
