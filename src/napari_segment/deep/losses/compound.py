"""Compound losses: weighted sums of others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.losses._types import ClassWeights, NotNegative, Positive
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.losses._base import Loss


@losses.add("dice_ce", title="Dice + cross entropy", group="compound")
def dice_ce(
    *,
    dice_weight: NotNegative = 1.0,
    ce_weight: NotNegative = 1.0,
    smooth: Positive = 1.0,
    background: bool = False,
    batch: bool = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice and cross entropy together: the usual choice, and the default of training.

    Parameters
    ----------
    dice_weight, ce_weight : float
        Weights of the two parts.
    smooth : float
        Of the Dice part, added above and below.
    background : bool
        Whether the first of several channels counts in the Dice part.
    batch : bool
        Take the Dice part's sums over the whole batch instead of each sample.
    class_weights : tuple of float
        One for each class, the background first, for both parts; empty for equal weights.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``.

    References
    ----------
    .. [1] Isensee et al. (2021), nnU-Net. :doi:`10.1038/s41592-020-01008-z`
    """
    from napari_segment.deep.losses._compound import Sum
    from napari_segment.deep.losses.distribution import cross_entropy
    from napari_segment.deep.losses.region import dice

    region = dice(smooth=smooth, background=background, batch=batch, class_weights=class_weights)
    return Sum(
        (dice_weight, region),
        (ce_weight, cross_entropy(class_weights=class_weights)),
    )
