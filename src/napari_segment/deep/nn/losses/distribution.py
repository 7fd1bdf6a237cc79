"""Distribution-based losses: how surprised the network is by each voxel's label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.losses._types import (
    BelowOne,
    ClassWeights,
    Fraction,
    NotNegative,
    Positive,
    Spacing,
    TopFraction,
)
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("bce", title="Binary cross entropy", group="distribution")
def bce() -> Loss:
    """Binary cross entropy of every channel: each class against all others.

    For one channel it is ``-t log p - (1 - t) log(1 - p)``, the mean over the labelled voxels;
    of several channels, the mean over the channels too.
    """
    from napari_segment.deep.nn.losses._distribution import BinaryCrossEntropy

    return BinaryCrossEntropy()


@losses.add("weighted_bce", title="Weighted binary cross entropy", group="distribution")
def weighted_bce(
    *,
    beta: Positive = 2.0,
) -> Loss:
    """Binary cross entropy with the foreground weighted by ``beta``.

    ``-beta t log p - (1 - t) log(1 - p)``.

    Parameters
    ----------
    beta : float
        Above 1 against missed foreground, below 1 against false alarms.
    """
    from napari_segment.deep.nn.losses._distribution import BinaryCrossEntropy

    return BinaryCrossEntropy(positive=beta)


@losses.add("balanced_bce", title="Balanced binary cross entropy", group="distribution")
def balanced_bce(
    *,
    min_beta: Annotated[float, Field(gt=0, le=0.5)] = 0.01,
) -> Loss:
    """Binary cross entropy with each side weighted by the other's share of the voxels.

    ``-b t log p - (1 - b)(1 - t) log(1 - p)`` with ``b`` the share of background in the sample.

    Parameters
    ----------
    min_beta : float
        Bound of ``b`` and ``1 - b``, so that an empty target still teaches.

    References
    ----------
    .. [1] Xie and Tu (2015), Holistically-nested edge detection. :doi:`10.1109/ICCV.2015.164`
    """
    from napari_segment.deep.nn.losses._distribution import BalancedCrossEntropy

    return BalancedCrossEntropy(min_beta)


@losses.add("cross_entropy", title="Cross entropy", group="distribution")
def cross_entropy(
    *,
    class_weights: ClassWeights = (),
    label_smoothing: BelowOne = 0.0,
) -> Loss:
    """Cross entropy ``-log p`` of the true class, averaged over the labelled voxels.

    Parameters
    ----------
    class_weights : tuple of float
        One for each class, the background first; empty for equal weights. The mean is divided
        by the weights' sum, as in PyTorch.
    label_smoothing : float
        Share of the target that is spread evenly over all classes.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``. Of one channel it is the binary cross entropy.
    """
    from napari_segment.deep.nn.losses._distribution import CrossEntropy

    return CrossEntropy(class_weights, label_smoothing)


@losses.add("focal", title="Focal", group="distribution")
def focal(
    *,
    gamma: NotNegative = 2.0,
    alpha: Fraction = 0.5,
    class_weights: ClassWeights = (),
) -> Loss:
    """Cross entropy with easy voxels turned down: ``-a (1 - p)^gamma log p``.

    Parameters
    ----------
    gamma : float
        How fast a voxel loses weight as its probability nears 1; 0 is the cross entropy.
    alpha : float
        Weight of the foreground (every class but the first); the background has ``1 - alpha``.

    References
    ----------
    .. [1] Lin et al. (2017), Focal loss for dense object detection. :doi:`10.1109/ICCV.2017.324`
    """
    from napari_segment.deep.nn.losses._distribution import Focal

    return Focal(gamma, alpha, class_weights)


@losses.add("asymmetric_focal", title="Asymmetric focal", group="distribution")
def asymmetric_focal(
    *,
    delta: Fraction = 0.7,
    gamma: NotNegative = 0.5,
) -> Loss:
    """Focal for the background, plain cross entropy for the rare foreground.

    Parameters
    ----------
    delta : float
        Weight of the foreground; the background has ``1 - delta``.
    gamma : float
        How fast an easy background voxel loses weight.

    References
    ----------
    .. [1] Yeung et al. (2022), Unified focal loss. :doi:`10.1016/j.compmedimag.2021.102026`
    """
    from napari_segment.deep.nn.losses._distribution import AsymmetricFocal

    return AsymmetricFocal(delta, gamma)


@losses.add("topk", title="Top-k cross entropy", group="distribution")
def topk(
    *,
    fraction: TopFraction = 0.1,
    class_weights: ClassWeights = (),
) -> Loss:
    """Cross entropy of the worst voxels alone.

    References
    ----------
    .. [1] Wu et al. (2016), Bridging category-level and instance-level semantic image
       segmentation. arXiv:1605.06885
    """
    from napari_segment.deep.nn.losses._distribution import TopK

    return TopK(fraction, class_weights)


@losses.add("mse", title="Mean squared error", group="distribution")
def mse(
    *,
    class_weights: ClassWeights = (),
) -> Loss:
    """Squared difference of probability and target: the Brier score.

    References
    ----------
    .. [1] Brier (1950), Verification of forecasts expressed in terms of probability.
       :doi:`10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2`
    """
    from napari_segment.deep.nn.losses._distribution import Brier

    return Brier(class_weights)


@losses.add("distance_penalised", title="Distance-penalised cross entropy", group="distribution")
def distance_penalised(
    *,
    width: Positive = 5.0,
    strength: NotNegative = 2.0,
    spacing: Spacing = (),
) -> Loss:
    """Cross entropy, raised near the true boundaries, where segmentations fail.

    The weight is ``1 + strength * max(0, 1 - d / width)`` at distance ``d`` from the nearest
    boundary.

    Parameters
    ----------
    width : float
        How far from a boundary the penalty reaches, in voxels of the finest axis.
    strength : float
        The penalty on the boundary.

    References
    ----------
    .. [1] Caliva et al. (2019), Distance map loss penalty term for semantic segmentation.
       arXiv:1908.03679
    """
    from napari_segment.deep.nn.losses._boundary import DistancePenalised

    return DistancePenalised(width, strength, spacing)
