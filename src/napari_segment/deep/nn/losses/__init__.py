"""Losses: how wrong logits are, one contract for all.

An entry is a function ``(*, settings) -> callable(logits, target) -> scalar``:

logits : tensor (B, C, *S)
    Raw outputs of a network. ``C == 1`` is binary (sigmoid); ``C >= 2`` is multi-class
    (softmax). Multi-label problems go through `multilabel`.
target : tensor (B, C, *S)
    In [0, 1]; one-hot with the background at channel 0 where ``C >= 2``. A voxel that is
    negative in any channel is unlabelled: nothing is asked of it.

Every loss computes in float32 whatever the precision around it, is finite on empty targets and
differentiable.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

from napari_segment.deep.nn.losses import boundary as boundary
from napari_segment.deep.nn.losses import compound as compound
from napari_segment.deep.nn.losses import distribution as distribution
from napari_segment.deep.nn.losses import region as region
from napari_segment.deep.nn.losses import scheduled as scheduled
from napari_segment.deep.nn.losses import topology as topology
from napari_segment.recipe import SpecLike
from napari_segment.registry import losses

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["LossFunction", "make", "multilabel", "of_objects"]

LossFunction: TypeAlias = "Callable[..., Tensor]"


def make(spec: SpecLike) -> LossFunction:
    """Make a loss.

    Parameters
    ----------
    spec : Spec, str, pair or mapping
        The loss's name, with settings where they differ from the defaults.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``, see `napari_segment.deep.nn.losses`.
    """
    loss: LossFunction = losses.make(spec)
    return loss


def of_objects(loss: LossFunction, target: str) -> LossFunction:
    """Apply a loss to the target maps of objects (see `napari_segment.deep.data.targets`).

    Parameters
    ----------
    loss : callable
        Made by `make`; applied to the foreground and to the maps that separate touching objects.
    target : {"distance", "border", "seeds", "flow"}
        Kind of the maps. Components of a flow are signed and compared by cross-entropy.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``.
    """
    from napari_segment.deep.nn.losses._base import OfObjects

    return OfObjects(loss) if target == "flow" else multilabel(loss)


def multilabel(loss: LossFunction) -> LossFunction:
    """Apply a loss to each channel as a binary problem of its own, and take the mean.

    Parameters
    ----------
    loss : callable
        Made by `make`.

    Returns
    -------
    callable
        ``(logits, target) -> scalar`` for ``(B, C, *S)`` with C labels that may overlap. A voxel
        may be unlabelled in some of the channels.
    """
    from napari_segment.deep.nn.losses._base import MultiLabel

    return MultiLabel(loss)
