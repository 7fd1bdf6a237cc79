"""Region-based losses: how badly the predicted region overlaps the true one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.losses._types import ClassWeights, Positive
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.losses._base import Loss


@losses.add("dice", title="Dice", group="region")
def dice(
    *,
    smooth: Positive = 1.0,
    background: bool = False,
    batch: bool = False,
    class_weights: ClassWeights = (),
) -> Loss:
    """One minus the soft Dice overlap, ``1 - (2 sum pt + s) / (sum p + sum t + s)``.

    Parameters
    ----------
    smooth : float
        ``s``, added above and below; keeps the loss finite where a class is absent.
    background : bool
        Whether the first of several channels counts as well.
    batch : bool
        Take the sums over the whole batch instead of each sample: steadier where classes are
        absent from most patches.
    class_weights : tuple of float
        One for each class, the background first; empty for equal weights.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``.

    References
    ----------
    .. [1] Milletari et al. (2016), V-Net. :doi:`10.1109/3DV.2016.79`
    """
    from napari_segment.deep.losses._region import Overlap, dice_overlap

    return Overlap(dice_overlap, smooth, background, batch, class_weights)
