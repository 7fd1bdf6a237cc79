"""Learner: a network and what changes its weights, one update at a time."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_segment.deep.checkpoint import Checkpoint, current_names
from napari_segment.deep.data.batches import Batch
from napari_segment.deep.device import is_out_of_memory, memory_format, precision, release_memory
from napari_segment.deep.nn import models
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.randomness import own_random_numbers
from napari_segment.deep.training.objective_torch import objective
from napari_segment.deep.training.optimisation.optimizers_torch import Average, one_hot, optimizer
from napari_segment.deep.training.optimisation.thin_convolutions_torch import spare_thin_inputs
from napari_segment.deep.training.process_group_torch import Group
from napari_segment.deep.training.state_torch import start_from
from napari_segment.step import Step

_SKIPS = 10  # updates left out in a row from which something is wrong


class Learner:
    """A network with its optimiser, loss and moving average.

    Parameters
    ----------
    blank : Checkpoint
        What the checkpoint will be, without weights and scores.
    settings : TrainSettings
    plan : Plan
        Decided from the data.
    group : Group
        The processes that train together.
    """

    def __init__(
        self, blank: Checkpoint, settings: TrainSettings, plan: Plan, group: Group
    ) -> None:
        self.blank, self.settings, self.plan, self.group = blank, settings, plan, group
        self.device = group.device
        self.dtype = precision(self.device, settings.precision)
        self.memory_format = memory_format(plan.ndim, self.device, self.dtype)
        self.network = self._fresh(settings.seed)
        if settings.init_from != "none":
            start_from(self.network, settings.init_from)
        self.network.to(self.device, memory_format=self.memory_format)
        if self.device.type == "cpu" and self.dtype == torch.bfloat16:
            spare_thin_inputs(self.network)
        self.wrapped = group.wrap(self.network)
        self.average = Average(self.network, settings.ema)
        given = 0.0 if settings.lr == "auto" else settings.lr
        self.optimizer = optimizer(
            settings.optimizer, self.network, plan.lr or given, settings.weight_decay
        )
        self.rates = [g["lr"] for g in self.optimizer.param_groups]
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        self.loss = objective(settings.loss, plan)
        self.parts, self.skipped = settings.accumulate, 0

    def _fresh(self, seed: int) -> Any:
        plan = self.plan
        with own_random_numbers(seed):
            return models.build(self.blank.model, plan.channels_in, plan.channels_out, plan.ndim)

    def begin_again(self, seed: int) -> None:
        """Forget what was learnt: other weights from a seed."""
        self.network.load_state_dict(self._fresh(seed).state_dict())
        self.optimizer.state.clear()
        self.average = Average(self.network, self.settings.ema)

    def use_rate(self, highest: float) -> None:
        """Take another highest learning rate."""
        self.rates = [highest] * len(self.rates)

    def set_rate(self, factor: float) -> float:
        """Set the learning rate to a part of the highest; gives the rate."""
        for group, highest in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = highest * factor
        return float(self.rates[0] * factor)

    def update(self, batch: Batch, seed: int) -> Generator[Step, None, float]:
        """Make one update; where memory runs out, the same in smaller parts.

        Parameters
        ----------
        batch : tuple of tensor
            Images, targets, and maps where the loss wants them.
        seed : int
            Of chance inside the network (dropout): nothing of it is stored from step to step.

        Returns
        -------
        float
            The loss before the update; NaN where something is wrong.
        """
        self.network.train()
        with own_random_numbers(seed % 2**63, self.device):
            return (yield from self._fitting_update(batch))

    def _fitting_update(self, batch: Batch) -> Generator[Step, None, float]:
        while True:
            try:
                return self.parted_update(batch)
            except RuntimeError as error:
                alone = self.group.size == 1  # others would wait for this one's gradients
                if not (alone and is_out_of_memory(error) and self.parts < len(batch[0])):
                    raise
            self.parts = min(self.parts * 2, len(batch[0]))
            release_memory(self.device)
            yield Step(
                0, 0, "out of memory: going on with "
                f"{-(-len(batch[0]) // self.parts)} patches at once, {self.parts} for an update",
            )  # fmt: skip

    def parted_update(self, batch: Batch) -> float:
        """Make one update from gradients that are added up over `parts` of the batch."""
        total = self._gradients(batch)
        if not np.isfinite(total):
            return total
        self.scaler.unscale_(self.optimizer)
        parameters = [p for p in self.network.parameters() if p.grad is not None]
        limit = float("inf") if self.settings.clip == "none" else self.settings.clip
        norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
        # Reduced precision overflows now and then: such an update is left out, as GradScaler does.
        self.skipped = 0 if bool(norm.isfinite()) else self.skipped + 1
        if self.skipped and not self.scaler.is_enabled():
            return total if self.skipped < _SKIPS else float("nan")
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update(self.network)
        return total

    def _gradients(self, batch: Batch) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        pieces = [part.tensor_split(self.parts) for part in batch]
        total = 0.0
        for image, *asked in zip(*pieces, strict=True):
            share = len(image) / len(batch[0])
            value = self.loss_of(self._moved(image), *(a.to(self.device) for a in asked))
            self.scaler.scale(value * share).backward()
            total += float(value.detach()) * share
        return self.group.mean(total)

    def loss_of(self, image: Tensor, target: Tensor, maps: Tensor | None = None) -> Tensor:
        """Return the loss of a batch on the device."""
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            outputs = self.wrapped(image)
        wanted = one_hot(target, self.plan.channels_out)
        more = {} if maps is None else {"maps": maps}
        value: Tensor = self.network.supervise(outputs, wanted, self.loss, **more)
        return value

    def _moved(self, image: Tensor) -> Tensor:
        return image.to(self.device, memory_format=self.memory_format)

    def state(self) -> dict[str, Any]:
        """All that changes from update to update."""
        return {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average.state(), "scaler": self.scaler.state_dict(),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Go back to a `state`."""
        self.network.load_state_dict(current_names(state["network"]))
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load(state["average"])
        self.scaler.load_state_dict(state["scaler"])
