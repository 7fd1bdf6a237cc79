"""A small U-Net learns one image by heart with every loss."""

import numpy as np
import pytest
import torch

from napari_segment.deep import losses as deep_losses
from napari_segment.deep import models as deep_models
from napari_segment.registry import losses

STEPS = 400


def picture():
    """Two discs and a bar on a noisy background, (1, 1, 48, 48), and their mask."""
    y, x = np.mgrid[:48, :48]
    mask = ((y - 14) ** 2 + (x - 14) ** 2 < 60) | ((y - 34) ** 2 + (x - 32) ** 2 < 90)
    mask |= (abs(y - x - 18) < 3) & (x < 20)
    image = mask + np.random.default_rng(0).normal(scale=0.3, size=mask.shape)
    as_tensor = [torch.from_numpy(a.astype(np.float32))[None, None] for a in (image, mask)]
    return as_tensor[0], as_tensor[1]


def overfitted(name, classes):
    """Dice of the foreground after training on the one picture."""
    torch.manual_seed(0)
    image, target = picture()
    if classes == 2:
        target = torch.cat([1 - target, target], 1)
    net = deep_models.build(("unet", {"features": [8, 16, 32]}), 1, classes, 2).train()
    loss = deep_losses.make(name)
    optimizer = torch.optim.AdamW(net.parameters(), 4e-3)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimizer, 1e-2, total_steps=STEPS)
    for step in range(STEPS):
        if hasattr(loss, "progress"):
            loss.progress(step / STEPS)
        optimizer.zero_grad()
        net.supervise(net(image), target, loss).backward()
        optimizer.step()
        rate.step()
    with torch.inference_mode():
        logits = net.eval()(image)
    found = logits[:, :1] > 0 if classes == 1 else logits[:, 1:] > logits[:, :1]
    truth = target[:, -1:] > 0
    return float(2 * (found & truth).sum() / (found.sum() + truth.sum()))


@pytest.mark.nightly
@pytest.mark.parametrize("classes", [1, 2])
@pytest.mark.parametrize("name", sorted(losses))
def test_every_loss_learns_by_heart(name, classes):
    assert overfitted(name, classes) > 0.98
