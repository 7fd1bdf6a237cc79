"""Prepare the loss of a training with what it needs to know of the data."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from napari_segment.deep.data.samples import Maps
from napari_segment.deep.nn import losses
from napari_segment.deep.nn.losses import LossFunction
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.plan import Plan
from napari_segment.recipe import Spec
from napari_segment.registry import losses as registry


def objective(spec: Spec, plan: Plan) -> LossFunction:
    """Make the loss; one that measures distances gets the spacing where none was given."""
    given = dict(spec.settings)
    wants = "spacing" in registry[spec.name].settings.model_fields
    if wants and plan.spacing and not given.get("spacing"):
        given["spacing"] = plan.spacing[-plan.ndim :]
    loss = losses.make(Spec(name=spec.name, settings=given))
    return losses.of_objects(loss, plan.objects.target) if plan.objects else loss


def maps_for(loss: LossFunction, plan: Plan, items: Sequence[Item], budget: int) -> Maps | None:
    """What the loss wants to be drawn of each case once, where all of it fits a budget of bytes.

    Without them it measures distances in every patch. Objects change with their patches, so that
    nothing can be drawn before.
    """
    size = sum(prod(item.shape) for item in items) * plan.channels_out * 4
    if plan.objects is not None or size > budget:
        return None
    maps: Maps | None = getattr(loss, "maps", None)
    return maps
