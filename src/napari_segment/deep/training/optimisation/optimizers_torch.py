"""Optimisers, learning rates and the moving average of weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from math import cos, pi
from typing import Any

import torch
from torch import Tensor, nn

from napari_segment.deep.checkpoint import current_names

_RATES = {"adamw": 2e-3, "adam": 1e-3, "sgd": 1e-2}


def optimizer(
    name: str, network: nn.Module, lr: float, weight_decay: float
) -> torch.optim.Optimizer:
    """Make an optimiser; a rate of 0 is the usual one of its kind."""
    lr = lr or _RATES[name]
    decayed = [p for p in network.parameters() if p.ndim > 1]
    plain = [p for p in network.parameters() if p.ndim <= 1]  # biases and norms do not decay
    groups: list[dict[str, Any]] = [{"params": decayed}, {"params": plain, "weight_decay": 0.0}]
    if name == "sgd":
        return torch.optim.SGD(groups, lr, momentum=0.99, nesterov=True, weight_decay=weight_decay)
    if name == "adam":
        return torch.optim.Adam(groups, lr)
    return torch.optim.AdamW(groups, lr, weight_decay=weight_decay)


def rate(schedule: str, progress: float, warmup: float) -> float:
    """Return the factor of the learning rate at a part of the training.

    Parameters
    ----------
    schedule : str
        "cosine", "poly", "one_cycle", "constant" or "plateau" (whose cuts come from outside).
    progress : float
        From 0 to 1.
    warmup : float
        Part of the training over which the rate rises from a hundredth.

    Returns
    -------
    float
        From 0 to 1.
    """
    progress = min(max(progress, 0.0), 1.0)
    if schedule == "one_cycle":
        warmup = max(warmup, 0.3)
    if progress < warmup:
        return 0.01 + 0.99 * progress / warmup
    rest = (progress - warmup) / max(1 - warmup, 1e-9)
    if schedule in ("cosine", "one_cycle"):
        return 0.5 * (1 + cos(pi * rest))
    return float((1 - rest) ** 0.9) if schedule == "poly" else 1.0


class Average:
    """Exponential moving average of a network's weights; running statistics are copied.

    Parameters
    ----------
    network : torch.nn.Module
        Where the weights are.
    decay : float
        Share of the old average in a step, reached gradually; 0 copies the weights.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay, self.count = decay, 0
        self.weights = {k: v.detach().clone() for k, v in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take one step's weights in."""
        self.count += 1
        share = 1 - min(self.decay, (1 + self.count) / (10 + self.count))
        now = network.state_dict()
        floats = [k for k, v in now.items() if v.is_floating_point()]
        torch._foreach_lerp_([self.weights[k] for k in floats], [now[k] for k in floats], share)
        for key in now.keys() - set(floats):
            self.weights[key].copy_(now[key])

    @contextmanager
    def lent_to(self, network: nn.Module) -> Iterator[None]:
        """Lend the network the average's weights for a while."""
        own = {k: v.clone() for k, v in network.state_dict().items()}
        network.load_state_dict(self.weights)
        try:
            yield
        finally:
            network.load_state_dict(own)

    def state(self) -> dict[str, Any]:
        return {"count": self.count, "weights": self.weights}

    def load(self, state: dict[str, Any]) -> None:
        self.count = int(state["count"])
        for key, value in current_names(state["weights"]).items():
            self.weights[key].copy_(value)


def one_hot(target: Tensor, channels: int) -> Tensor:
    """Class indices ``(B, 1, *S)`` to what losses take, ``(B, C, *S)``; -1 stays unlabelled.

    Maps, which have their channels already, come back as they are.
    """
    if target.is_floating_point():
        return target
    unknown = target < 0
    if channels == 1:
        return (target > 0).float().masked_fill(unknown, -1)
    encoded = torch.zeros(len(target), channels, *target.shape[2:], device=target.device)
    encoded.scatter_(1, target.clamp(min=0).long(), 1)
    return encoded.masked_fill(unknown, -1)
