"""Topology-preserving losses: whether what belongs together stays together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.losses._types import Fraction, IncludeBackground, Smooth
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("cldice", title="Centreline Dice", group="topology")
def cldice(
    *,
    alpha: Fraction = 0.5,
    iterations: Annotated[int, Field(ge=1, le=64)] = 5,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
) -> Loss:
    """Dice of the skeletons, for vessels, neurites and other tubes; combined with Dice.

    ``(1 - a) Dice + a clDice``. The skeletons alone would leave the tubes' width free.

    Parameters
    ----------
    alpha : float
        Weight of the centrelines; Dice has the rest.
    iterations : int
        Erosions of the soft skeleton: at least the largest radius in voxels.

    References
    ----------
    .. [1] Shit et al. (2021), clDice: a topology-preserving loss function for tubular structure
       segmentation. :doi:`10.1109/CVPR46437.2021.01629`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses._topology import CentrelineDice
    from napari_segment.deep.nn.losses.region import dice

    lines = CentrelineDice(iterations, smooth, background)
    return Sum((alpha, lines), (1 - alpha, dice(smooth=smooth, background=background)))
