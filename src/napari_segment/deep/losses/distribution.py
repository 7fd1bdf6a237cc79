"""Distribution-based losses: how surprised the network is by each voxel's label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_segment.deep.losses._types import ClassWeights, Fraction, NotNegative
from napari_segment.registry import losses

if TYPE_CHECKING:
    from napari_segment.deep.losses._base import Loss


@losses.add("bce", title="Binary cross entropy", group="distribution")
def bce() -> Loss:
    """Binary cross entropy of every channel: each class against all others.

    For one channel it is ``-t log p - (1 - t) log(1 - p)``, the mean over the labelled voxels;
    of several channels, the mean over the channels too.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``.
    """
    from napari_segment.deep.losses._distribution import BinaryCrossEntropy

    return BinaryCrossEntropy()


@losses.add("cross_entropy", title="Cross entropy", group="distribution")
def cross_entropy(
    *,
    class_weights: ClassWeights = (),
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0,
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
    from napari_segment.deep.losses._distribution import CrossEntropy

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
    class_weights : tuple of float
        One for each class, the background first; empty for equal weights.

    Returns
    -------
    callable
        ``(logits, target) -> scalar``.

    References
    ----------
    .. [1] Lin et al. (2017), Focal loss for dense object detection. :doi:`10.1109/ICCV.2017.324`
    """
    from napari_segment.deep.losses._distribution import Focal

    return Focal(gamma, alpha, class_weights)
