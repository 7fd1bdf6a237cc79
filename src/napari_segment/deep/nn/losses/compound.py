"""Compound losses: weighted sums of others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.losses._types import (
    BatchSums,
    BelowOne,
    ClassWeights,
    DiceWeight,
    Fraction,
    IncludeBackground,
    NotNegative,
    Smooth,
    TopFraction,
)
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("dice_ce", title="Dice + cross entropy", group="compound")
def dice_ce(
    *,
    dice_weight: DiceWeight = 1.0,
    ce_weight: NotNegative = 1.0,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice and cross entropy together: the usual choice, and the default of training.

    Parameters
    ----------
    ce_weight : float
        Weight of the cross entropy part.

    References
    ----------
    .. [1] Isensee et al. (2021), nnU-Net. :doi:`10.1038/s41592-020-01008-z`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.distribution import cross_entropy
    from napari_segment.deep.nn.losses.region import dice

    region = dice(smooth=smooth, background=background, batch=batch, class_weights=class_weights)
    return Sum((dice_weight, region), (ce_weight, cross_entropy(class_weights=class_weights)))


@losses.add("dice_bce", title="Dice + binary cross entropy", group="compound")
def dice_bce(
    *,
    dice_weight: DiceWeight = 1.0,
    bce_weight: NotNegative = 1.0,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice and the binary cross entropy of every channel.

    Parameters
    ----------
    bce_weight : float
        Weight of the bce part.

    References
    ----------
    .. [1] Isensee et al. (2021), nnU-Net. :doi:`10.1038/s41592-020-01008-z`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.distribution import bce
    from napari_segment.deep.nn.losses.region import dice

    region = dice(smooth=smooth, background=background, batch=batch, class_weights=class_weights)
    return Sum((dice_weight, region), (bce_weight, bce()))


@losses.add("dice_focal", title="Dice + focal", group="compound")
def dice_focal(
    *,
    dice_weight: DiceWeight = 1.0,
    focal_weight: NotNegative = 1.0,
    gamma: NotNegative = 2.0,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice and focal together: for small structures in much background.

    Parameters
    ----------
    focal_weight : float
        Weight of the focal part.
    gamma : float
        Of the focal part: how fast an easy voxel loses weight.

    References
    ----------
    .. [1] Zhu et al. (2019), AnatomyNet. :doi:`10.1002/mp.13300`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.distribution import focal
    from napari_segment.deep.nn.losses.region import dice

    region = dice(smooth=smooth, background=background, batch=batch, class_weights=class_weights)
    return Sum(
        (dice_weight, region), (focal_weight, focal(gamma=gamma, class_weights=class_weights))
    )


@losses.add("dice_topk", title="Dice + top-k", group="compound")
def dice_topk(
    *,
    dice_weight: DiceWeight = 1.0,
    topk_weight: NotNegative = 1.0,
    fraction: TopFraction = 0.1,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice and the cross entropy of the worst voxels.

    Parameters
    ----------
    topk_weight : float
        Weight of the topk part.

    References
    ----------
    .. [1] Ma et al. (2021), Loss odyssey in medical image segmentation.
       :doi:`10.1016/j.media.2021.102035`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.distribution import topk
    from napari_segment.deep.nn.losses.region import dice

    region = dice(smooth=smooth, background=background, batch=batch, class_weights=class_weights)
    return Sum(
        (dice_weight, region), (topk_weight, topk(fraction=fraction, class_weights=class_weights))
    )


@losses.add("combo", title="Combo", group="compound")
def combo(
    *,
    alpha: Fraction = 0.5,
    beta: Fraction = 0.5,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
) -> Loss:
    """Weighted binary cross entropy and Dice.

    ``a (-b t log p - (1 - b)(1 - t) log(1 - p)) + (1 - a) Dice``.

    Parameters
    ----------
    alpha : float
        Weight of the cross entropy; Dice has the rest.
    beta : float
        Above 0.5 against missed foreground, below against false alarms.

    References
    ----------
    .. [1] Taghanaki et al. (2018), Combo loss. :doi:`10.48550/arXiv.1805.02798`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses._distribution import BinaryCrossEntropy
    from napari_segment.deep.nn.losses.region import dice

    entropy = BinaryCrossEntropy(positive=beta, negative=1 - beta)
    return Sum((alpha, entropy), (1 - alpha, dice(smooth=smooth, background=background)))


@losses.add("exp_log", title="Exponential logarithmic", group="compound")
def exp_log(
    *,
    gamma: Annotated[float, Field(gt=0, le=2)] = 0.3,
    dice_weight: Fraction = 0.8,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
) -> Loss:
    """Powers of ``-log Dice`` and ``-log p``: small structures count as large ones do.

    Parameters
    ----------
    gamma : float
        The power; below 1 it turns to what is nearly right.
    dice_weight : float
        Weight of the Dice part; the cross entropy has the rest.

    References
    ----------
    .. [1] Wong et al. (2018), 3D segmentation with exponential logarithmic loss for highly
       unbalanced object sizes. :doi:`10.1007/978-3-030-00931-1_70`
    """
    from napari_segment.deep.nn.losses._compound import ExponentialLogarithmic

    return ExponentialLogarithmic(gamma, dice_weight, smooth, background)


@losses.add("unified_focal", title="Unified focal", group="compound")
def unified_focal(
    *,
    weight: Fraction = 0.5,
    delta: Fraction = 0.6,
    gamma: BelowOne = 0.5,
    smooth: Smooth = 1.0,
) -> Loss:
    """Asymmetric focal and asymmetric focal Tversky together.

    Parameters
    ----------
    weight : float
        Weight of the focal part; the Tversky part has the rest.
    delta : float
        Weight of the foreground, and of false negatives.
    gamma : float
        How strongly easy background is turned down and badly fitting foreground up.

    References
    ----------
    .. [1] Yeung et al. (2022), Unified focal loss. :doi:`10.1016/j.compmedimag.2021.102026`
    """
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.distribution import asymmetric_focal
    from napari_segment.deep.nn.losses.region import asymmetric_focal_tversky

    focal = asymmetric_focal(delta=delta, gamma=gamma)
    region = asymmetric_focal_tversky(delta=delta, gamma=gamma, smooth=smooth)
    return Sum((weight, focal), (1 - weight, region))
