"""Region-based losses: how badly the predicted region overlaps the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.losses._types import (
    BatchSums,
    BelowOne,
    ClassWeights,
    FalseNegativeWeight,
    FalsePositiveWeight,
    Fraction,
    IncludeBackground,
    Positive,
    RelativeSmooth,
    Smooth,
)
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("dice", title="Dice", group="region")
def dice(
    *,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """One minus the soft Dice overlap, ``1 - (2 sum pt + s) / (sum p + sum t + s)``.

    References
    ----------
    .. [1] Milletari et al. (2016), V-Net. :doi:`10.1109/3DV.2016.79`
    """
    from napari_segment.deep.nn.losses._region import Overlap, dice_overlap

    return Overlap(dice_overlap, smooth, background, batch, class_weights)


@losses.add("squared_dice", title="Squared Dice", group="region")
def squared_dice(
    *,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Dice with squares below: ``1 - (2 sum pt + s) / (sum p^2 + sum t^2 + s)``.

    Its slope grows as the answer nears the truth, so it gives sharper probabilities.

    References
    ----------
    .. [1] Milletari et al. (2016), V-Net. :doi:`10.1109/3DV.2016.79`
    """
    from napari_segment.deep.nn.losses._region import SquaredDice, dice_overlap

    return SquaredDice(dice_overlap, smooth, background, batch, class_weights)


@losses.add("generalized_dice", title="Generalised Dice", group="region")
def generalized_dice(
    *,
    smooth: RelativeSmooth = 1.0,
) -> Loss:
    """Dice summed over all classes, each weighted by its inverse squared size.

    One channel counts as two classes. A class that is absent weighs as the rarest that is there.

    References
    ----------
    .. [1] Sudre et al. (2017), Generalised Dice overlap. :doi:`10.1007/978-3-319-67558-9_28`
    """
    from napari_segment.deep.nn.losses._region import Balanced

    return Balanced(union=False, smooth=smooth)


@losses.add("iou", title="IoU (Jaccard)", group="region")
def iou(
    *,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """One minus the soft intersection over union.

    References
    ----------
    .. [1] Rahman and Wang (2016), Optimizing intersection-over-union in deep neural networks.
       :doi:`10.1007/978-3-319-50835-1_22`
    """
    from napari_segment.deep.nn.losses._region import Overlap, iou_overlap

    return Overlap(iou_overlap, smooth, background, batch, class_weights)


@losses.add("iou_balanced", title="Balanced IoU", group="region")
def iou_balanced(
    *,
    smooth: RelativeSmooth = 1.0,
) -> Loss:
    """Intersection over union summed over all classes, each weighted by its inverse squared size.

    ``1 - sum w I / sum w U``: what generalised Dice is to Dice. One channel counts as two classes.
    The definition is ours: the name is used in the literature for object detection only.
    """
    from napari_segment.deep.nn.losses._region import Balanced

    return Balanced(union=True, smooth=smooth)


@losses.add("tversky", title="Tversky", group="region")
def tversky(
    *,
    alpha: FalsePositiveWeight = 0.3,
    beta: FalseNegativeWeight = 0.7,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Overlap with false alarms and misses weighted apart: ``TP / (TP + a FP + b FN)``.

    References
    ----------
    .. [1] Salehi et al. (2017), Tversky loss function for image segmentation.
       :doi:`10.1007/978-3-319-67389-9_44`
    """
    from napari_segment.deep.nn.losses._region import Overlap, tversky_overlap

    overlap = tversky_overlap(alpha, beta)
    return Overlap(overlap, smooth, background, batch, class_weights)


@losses.add("focal_tversky", title="Focal Tversky", group="region")
def focal_tversky(
    *,
    alpha: FalsePositiveWeight = 0.3,
    beta: FalseNegativeWeight = 0.7,
    gamma: Annotated[float, Field(ge=0.25, le=4)] = 4 / 3,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    batch: BatchSums = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """A root of one minus the Tversky overlap: ``(1 - T)^(1 / gamma)``.

    Parameters
    ----------
    gamma : float
        Above 1, classes that fit badly count for more.

    References
    ----------
    .. [1] Abraham and Khan (2019), A novel focal Tversky loss function.
       :doi:`10.1109/ISBI.2019.8759329`
    """
    from napari_segment.deep.nn.losses._region import Overlap, tversky_overlap

    overlap = tversky_overlap(alpha, beta)
    return Overlap(overlap, smooth, background, batch, class_weights, exponent=1 / gamma)


@losses.add("asymmetric_focal_tversky", title="Asymmetric focal Tversky", group="region")
def asymmetric_focal_tversky(
    *,
    delta: Fraction = 0.7,
    gamma: BelowOne = 0.5,
    smooth: Smooth = 1.0,
) -> Loss:
    """Tversky for the background, its power ``1 - gamma`` for the rare foreground.

    One channel counts as two classes.

    Parameters
    ----------
    delta : float
        Weight of false negatives; false positives have ``1 - delta``.
    gamma : float
        Above 0, foreground that fits badly counts for more.

    References
    ----------
    .. [1] Yeung et al. (2022), Unified focal loss. :doi:`10.1016/j.compmedimag.2021.102026`
    """
    from napari_segment.deep.nn.losses._region import (
        AsymmetricFocalOverlap,
        Overlap,
        tversky_overlap,
    )

    overlap = Overlap(tversky_overlap(1 - delta, delta), smooth)
    return AsymmetricFocalOverlap(overlap, gamma)


@losses.add("sensitivity_specificity", title="Sensitivity and specificity", group="region")
def sensitivity_specificity(
    *,
    ratio: Fraction = 0.05,
    background: IncludeBackground = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """Mean squared error inside the region and outside it: ``r E_in + (1 - r) E_out``.

    Parameters
    ----------
    ratio : float
        Weight of the inside (sensitivity); small, as the inside is.

    References
    ----------
    .. [1] Brosch et al. (2015), Deep convolutional encoder networks for multiple sclerosis lesion
       segmentation. :doi:`10.1007/978-3-319-24574-4_1`
    """
    from napari_segment.deep.nn.losses._region import SensitivitySpecificity as Ratio

    return Ratio(ratio, background, class_weights)


@losses.add("lovasz", title="Lovász", group="region")
def lovasz() -> Loss:
    """The Lovász extension of the Jaccard loss: hinge for one channel, softmax for several.

    A class that is absent from a sample is left out.

    References
    ----------
    .. [1] Berman et al. (2018), The Lovász-softmax loss. :doi:`10.1109/CVPR.2018.00464`
    """
    from napari_segment.deep.nn.losses._region import Lovasz

    return Lovasz()


@losses.add("mcc", title="Matthews correlation", group="region")
def mcc(
    *,
    smooth: Positive = 1.0,
    background: IncludeBackground = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """One minus Matthews' correlation coefficient, which counts true negatives too.

    Parameters
    ----------
    smooth : float
        Added to each of the four counts, in voxels.

    References
    ----------
    .. [1] Abhishek and Hamarneh (2021), Matthews correlation coefficient loss for deep
       convolutional networks. :doi:`10.1109/ISBI48211.2021.9433782`
    """
    from napari_segment.deep.nn.losses._region import Correlation

    return Correlation(smooth, background, class_weights)
