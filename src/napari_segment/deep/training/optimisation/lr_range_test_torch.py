"""Run the learning-rate range test: which rate a network can bear, tried before the training."""

from __future__ import annotations

from collections.abc import Callable, Generator
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np

from napari_segment.deep.data.batches import Batch
from napari_segment.deep.training.learner_torch import Learner
from napari_segment.step import Step

_LOW, _HIGH = 1e-6, 1.0
_UPDATES = 100
_LEAST = 10  # updates before a rise of the loss means anything
_SMOOTHING = 0.9
_SAFETY = 10.0


@dataclass(frozen=True)
class RateCurve:
    """The smoothed loss at rising learning rates.

    Parameters
    ----------
    rates, losses : list of float
        One for each update.
    """

    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    @property
    def chosen(self) -> float:
        """Return a tenth of the rate at which the loss was least; 0 where nothing was measured."""
        if not self.losses:
            return 0.0
        return max(self.rates[int(np.argmin(self.losses))] / _SAFETY, _LOW)

    @property
    def reason(self) -> str:
        if not self.losses:
            return "the usual one of the optimiser: the loss was not a number from the start"
        least = self.rates[int(np.argmin(self.losses))]
        return f"a tenth of {least:.2g}, at which the loss was least in the range test"

    @property
    def broke(self) -> bool:
        """Return whether the loss has lost again all that it had won."""
        if len(self.losses) < _LEAST:
            return False
        first, best, last = self.losses[0], min(self.losses), self.losses[-1]
        return last - best > max(first - best, 0.1 * abs(first))


def search_rate(
    learner: Learner, batch: Callable[[int], Batch], seed: int = 0
) -> Generator[Step, None, RateCurve]:
    """Raise the learning rate from update to update until the loss rises [1]_.

    Parameters
    ----------
    learner : Learner
        Is as it was afterwards.
    batch : callable
        Gives the batch of an update.
    seed : int
        Of chance inside the network.

    Returns
    -------
    RateCurve

    References
    ----------
    .. [1] Smith (2017), Cyclical learning rates for training neural networks.
       :doi:`10.1109/WACV.2017.58`
    """
    curve, state, smooth = RateCurve(), deepcopy(learner.state()), 0.0
    for update in range(_UPDATES):
        rate = _LOW * (_HIGH / _LOW) ** (update / (_UPDATES - 1))
        learner.set_rate(rate / learner.rates[0])
        value = yield from learner.update(batch(update), seed + update)
        if not np.isfinite(value):
            break
        smooth = _SMOOTHING * smooth + (1 - _SMOOTHING) * value
        curve.rates.append(rate)
        curve.losses.append(smooth / (1 - _SMOOTHING ** (update + 1)))
        numbers = {"search lr": rate, "search loss": curve.losses[-1]}
        yield Step(update + 1, _UPDATES, "looking for the learning rate", numbers)
        if curve.broke:
            break
    learner.load(state)
    learner.skipped = 0
    return curve
