"""Boundary-based losses: how far what is wrong lies from the true boundary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.nn.losses._types import IncludeBackground, NotNegative, Spacing
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("boundary", title="Boundary", group="boundary")
def boundary(
    *,
    dice_weight: NotNegative = 1.0,
    background: IncludeBackground = False,
    spacing: Spacing = (),
) -> Loss:
    """Mean signed distance, from the true boundary, of what is predicted; combined with Dice.

    The distance is negative inside, so the best value is below 0. Alone it may forget small
    regions, therefore Dice is added.

    Parameters
    ----------
    dice_weight : float
        Weight of the Dice that is added: 0 for the boundary alone.

    References
    ----------
    .. [1] Kervadec et al. (2021), Boundary loss for highly unbalanced segmentation.
       :doi:`10.1016/j.media.2020.101851`
    """
    from napari_segment.deep.nn.losses._boundary import Boundary
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.region import dice

    part = Boundary(background, spacing)
    return Sum((1.0, part), (dice_weight, dice()))


@losses.add("hausdorff", title="Hausdorff (distance transform)", group="boundary")
def hausdorff(
    *,
    alpha: Annotated[float, Field(gt=0, le=4)] = 2.0,
    dice_weight: NotNegative = 1.0,
    background: IncludeBackground = False,
    spacing: Spacing = (),
) -> Loss:
    """Squared error weighted by the distance from both boundaries; combined with Dice.

    Distances from the predicted boundary are computed in every step, which takes time.

    Parameters
    ----------
    alpha : float
        Power of the distances.
    dice_weight : float
        Weight of the Dice that is added: 0 for the distances alone.

    References
    ----------
    .. [1] Karimi and Salcudean (2020), Reducing the Hausdorff distance in medical image
       segmentation. :doi:`10.1109/TMI.2019.2930068`
    """
    from napari_segment.deep.nn.losses._boundary import Hausdorff
    from napari_segment.deep.nn.losses._compound import Sum
    from napari_segment.deep.nn.losses.region import dice

    part = Hausdorff(alpha, background, spacing)
    return Sum((1.0, part), (dice_weight, dice()))


@losses.add("shape_aware", title="Shape-aware cross entropy", group="boundary")
def shape_aware(
    *,
    spacing: Spacing = (),
) -> Loss:
    """Cross entropy, raised where the answer is wrong by the distance from the true boundary.

    References
    ----------
    .. [1] Hayder et al. (2017), Boundary-aware instance segmentation. :doi:`10.1109/CVPR.2017.70`
    """
    from napari_segment.deep.nn.losses._boundary import ShapeAware

    return ShapeAware(spacing)


@losses.add("active_contour", title="Active contour", group="boundary")
def active_contour(
    *,
    length_weight: NotNegative = 0.1,
) -> Loss:
    """Error inside and outside the contour, and the contour's length.

    Parameters
    ----------
    length_weight : float
        Weight of the length: higher gives smoother contours, and loses what is small.

    References
    ----------
    .. [1] Chen et al. (2019), Learning active contour models for medical image segmentation.
       :doi:`10.1109/CVPR.2019.01190`
    """
    from napari_segment.deep.nn.losses._boundary import ActiveContour

    return ActiveContour(length_weight)
