"""Trainers: how networks of one kind are trained, as the package that has them registers it.

Segmenters are trained by the loop of this package; a package above it registers its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from numpy.typing import NDArray

from napari_segment.deep.planning.plan import Plan
from napari_segment.recipe import Spec

if TYPE_CHECKING:
    from napari_segment.deep.training.loop_torch import Fit

LabelImages: TypeAlias = "Iterable[NDArray[Any]]"


@dataclass(frozen=True)
class Trainer:
    """How networks of one kind are trained.

    Parameters
    ----------
    fit : callable
        Returns the subclass of `Fit`; it is called when a training begins, so that torch is
        imported no earlier.
    complete : callable
        Completes the settings of the model from the label images of the training.
    """

    fit: Callable[[], type[Fit]]
    complete: Callable[[Spec, LabelImages], Spec]


def register(target: str, trainer: Trainer) -> None:
    """Register the trainer of networks whose target (`Objects.target`) is this one."""
    _TRAINERS[target] = trainer


def trainer_of(plan: Plan) -> Trainer:
    """Return the trainer of the network that is planned."""
    target = plan.objects.target if plan.objects is not None else ""
    return _TRAINERS.get(target, _SEGMENTERS)


def _fit() -> type[Fit]:
    from napari_segment.deep.training.loop_torch import Fit

    return Fit


_SEGMENTERS = Trainer(_fit, lambda model, _: model)
_TRAINERS: dict[str, Trainer] = {}
