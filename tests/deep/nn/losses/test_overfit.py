"""A small U-Net learns one image by heart with every loss."""

import numpy as np
import pytest
import torch

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.nn import models as deep_models
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


def problem_of(problem, mask):
    """The target (1, C, *S) of a mask."""
    if problem == "binary":
        return mask
    if problem == "classes":
        return torch.cat([1 - mask, mask], 1)
    left = mask.clone()  # labels that overlap: all, and those at the left
    left[..., 22:] = 0
    return torch.cat([mask, left], 1)


def overfitted(name, problem):
    """Dice of the worst foreground channel after training on the one picture."""
    torch.manual_seed(0)
    image, mask = picture()
    target = problem_of(problem, mask)
    net = deep_models.build(("unet", {"features": [8, 16, 32]}), 1, target.shape[1], 2).train()
    loss = deep_losses.make(name)
    if problem == "labels":
        loss = deep_losses.multilabel(loss)
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
    actual, truth = logits > 0, target > 0
    if problem == "classes":
        actual, truth = logits[:, 1:] > logits[:, :1], target[:, 1:] > 0
    both = (actual & truth).sum((0, 2, 3))
    return float((2 * both / (actual.sum((0, 2, 3)) + truth.sum((0, 2, 3)))).min())


@pytest.mark.nightly
@pytest.mark.parametrize("problem", ["binary", "classes", "labels"])
@pytest.mark.parametrize("name", sorted(losses))
def test_every_loss_learns_by_heart(name, problem):
    assert overfitted(name, problem) > 0.98
