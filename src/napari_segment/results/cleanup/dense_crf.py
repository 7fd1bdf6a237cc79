"""Dense conditional random field: labels that follow the image's edges."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from napari_segment.errors import InputError
from napari_segment.image import Spacing
from napari_segment.registry import cleanups

Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]
Blur: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]

_TINY = 1e-8


@cleanups.add(
    "dense_crf", title="Dense CRF", group="borders",
    whole="Each voxel is compared with all others.",
)  # fmt: skip
def dense_crf(  # noqa: PLR0913
    labels: NDArray[Any],
    image: NDArray[Any],
    probabilities: NDArray[np.floating[Any]] | None = None,
    spacing: Spacing = (),
    holds: str = "classes",
    values: Sequence[int] = (),
    *,
    unary: Literal["auto", "probabilities", "labels"] = "auto",
    spatial_sigma: Positive = 30.0,
    intensity_sigma: Positive = 0.08,
    appearance_weight: NotNegative = 5.0,
    smoothness_sigma: Positive = 2.0,
    smoothness_weight: NotNegative = 2.0,
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.8,
    iterations: Annotated[int, Field(ge=1, le=50)] = 5,
) -> NDArray[Any]:
    """Let labels follow the image's edges: a fully connected random field with Gaussian potentials.

    Every voxel wants the label of every other, the more the nearer they are and the more alike
    they look. The mean-field equations are solved with filters on the permutohedral lattice.

    Parameters
    ----------
    labels : array (*S) of bool or unsigned int
        A mask or classes.
    image : array (*S) or (C, *S)
        What they were made from.
    probabilities : array (K, *S), optional
        Of each of `values`; (*S) or (1, *S) of a mask's foreground. A trained network gives them
        with ``maps=["probabilities"]``.
    spacing : sequence of float
        Distance of neighbours along each axis; empty for equal spacing.
    holds : {"mask", "classes"}
        What the labels hold. Objects have no common looks and are refused.
    values : sequence of int
        The label number of each channel of `probabilities`; empty for the numbers that the labels
        have, in rising order.
    unary : {"auto", "probabilities", "labels"}
        Unary potentials: from the probabilities of the network, or from the labels with
        `confidence`. "auto" takes the probabilities where the method gives them.
    spatial_sigma : float
        Standard deviation of the appearance kernel in space, in voxels of the finest axis.
    intensity_sigma : float
        Standard deviation of the appearance kernel in intensity, as a fraction of the image's
        range.
    appearance_weight : float
        Weight of the appearance kernel.
    smoothness_sigma : float
        Standard deviation of the smoothness kernel, in voxels of the finest axis.
    smoothness_weight : float
        Weight of the smoothness kernel.
    confidence : float
        Probability of the given labels, where the unary potentials come from these.
    iterations : int
        Number of mean-field iterations.

    Returns
    -------
    array (*S)
        Labels of the same type; no value that the method could not have given.

    References
    ----------
    .. [1] Krähenbühl and Koltun (2011), Efficient inference in fully connected CRFs with
       Gaussian edge potentials. arXiv:1210.5644

    Examples
    --------
    >>> import numpy as np
    >>> image = np.zeros((20, 20)); image[:, 10:] = 1
    >>> labels = image.astype(bool); labels[:, 8:10] = True  # two columns too wide
    >>> bool((dense_crf(labels, image) == (image > 0)).all())
    True
    """
    _require_image(labels, image)
    if holds == "objects":
        raise InputError(
            "A dense CRF needs a mask or classes, but the labels hold objects. Use it before the "
            "objects are split, or on one class of them."
        )
    if unary == "probabilities" and probabilities is None:
        raise InputError(
            "'dense_crf' was asked to start from probabilities, but the method gave none. Let the "
            "network give them (method 'network', maps=['probabilities']), or take unary='labels'."
        )
    given = None if unary == "labels" else probabilities
    numbers = _numbers(labels, values if given is not None else ())
    if len(numbers) < 2:
        return labels
    known = _probabilities(labels, numbers, given, confidence)
    scale = _relative(spacing, labels.ndim)
    filters = [
        (appearance_weight, _alike(image, labels.ndim, scale, spatial_sigma, intensity_sigma)),
        (smoothness_weight, _close(labels.shape, scale, smoothness_sigma)),
    ]
    beliefs = mean_field(known, filters, iterations)
    result: NDArray[Any] = numbers[beliefs.argmax(1)].reshape(labels.shape)
    return result


def _require_image(labels: NDArray[Any], image: NDArray[Any] | None) -> None:
    """Refuse to run without the image whose edges the labels are to follow."""
    if image is None or image.shape[-labels.ndim :] != labels.shape:
        given = "none" if image is None else f"one of shape {image.shape}"
        raise InputError(
            f"A dense CRF needs the image that the labels of shape {labels.shape} were made from; "
            f"{given} was given. Give it as the second argument, or run the cleanup in a recipe."
        )


def mean_field(
    probabilities: NDArray[np.float32], filters: Sequence[tuple[float, Blur]], iterations: int
) -> NDArray[np.float32]:
    """Iterate beliefs until they agree with the voxels' own and their neighbours'.

    Parameters
    ----------
    probabilities : array (N, K) of float32
        Of each voxel, on its own.
    filters : sequence of pairs (strength, blur)
        ``blur`` takes (N, K) to the sums over all voxels, weighted by a kernel.
    iterations : int
        Steps.

    Returns
    -------
    array (N, K) of float32
        Beliefs, whose sum over K is 1.
    """
    own = np.log(np.maximum(probabilities, _TINY))
    ones = np.ones((len(own), 1), np.float32)
    balanced = [  # symmetric normalisation: a crowd of neighbours counts as one
        (strength, blur, 1 / np.sqrt(blur(ones) + _TINY)) for strength, blur in filters if strength
    ]
    beliefs = _softmax(own)
    for _ in range(iterations):
        energy = own.copy()
        for strength, blur, norm in balanced:
            energy += strength * norm * blur(norm * beliefs)
        beliefs = _softmax(energy)
    return beliefs


def _softmax(energy: NDArray[np.float32]) -> NDArray[np.float32]:
    powers: NDArray[np.float32] = np.exp(energy - energy.max(1, keepdims=True))
    softmax: NDArray[np.float32] = powers / powers.sum(1, keepdims=True)
    return softmax


def _numbers(labels: NDArray[Any], values: Sequence[int]) -> NDArray[Any]:
    if labels.dtype == bool:
        return np.array([False, True])
    return np.array(values, labels.dtype) if len(values) else np.unique(labels)


def _probabilities(
    labels: NDArray[Any], values: NDArray[Any], given: ArrayLike | None, confidence: float
) -> NDArray[np.float32]:
    if given is None:
        right = labels.reshape(-1, 1) == values
        rest = (1 - confidence) / (len(values) - 1)
        return np.where(right, confidence, rest).astype(np.float32)
    given = np.asarray(given, np.float32)
    given = given[None] if given.ndim == labels.ndim else given
    if len(given) == 1 and len(values) == 2:
        given = np.concatenate([1 - given, given])
    if given.shape != (len(values), *labels.shape):
        raise InputError(
            f"The probabilities have shape {given.shape}, but {(len(values), *labels.shape)} is "
            "needed: one map for each class."
        )
    return np.ascontiguousarray(given.reshape(len(values), -1).T)


def _alike(
    image: NDArray[Any], ndim: int, scale: NDArray[np.float64], distance: float, contrast: float
) -> Blur:
    from napari_segment.results.cleanup.lattice_kernels import Lattice

    channels = np.asarray(image, np.float32)
    channels = channels[None] if channels.ndim == ndim else channels
    positions = np.indices(channels.shape[1:], np.float32).reshape(ndim, -1)
    positions *= (scale / distance)[:, None].astype(np.float32)
    looks = np.stack([_spread(c).ravel() for c in channels]) / contrast
    lattice = Lattice(np.concatenate([positions, looks]).T)
    return lattice.filter


def _spread(channel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rescale to [0, 1] between the percentiles 1 and 99; NaN counts as the least."""
    finite = channel[np.isfinite(channel)]
    if not finite.size:
        return np.zeros_like(channel)
    low, high = np.percentile(finite, (1, 99))
    if high <= low:
        low, high = float(finite.min()), float(finite.max())
    spread = (np.nan_to_num(channel, nan=low) - low) / max(float(high - low), _TINY)
    clipped: NDArray[np.float32] = np.clip(spread, 0, 1).astype(np.float32)
    return clipped


def _close(shape: tuple[int, ...], scale: NDArray[np.float64], near: float) -> Blur:
    from scipy.ndimage import gaussian_filter

    sigma = tuple(float(near / s) for s in scale)

    def blur(values: NDArray[np.float32]) -> NDArray[np.float32]:
        maps = [gaussian_filter(v.reshape(shape), sigma, mode="constant") for v in values.T]
        return np.stack([m.ravel() for m in maps], 1)

    return blur


def _relative(spacing: Sequence[float], ndim: int) -> NDArray[np.float64]:
    sizes = np.array(tuple(spacing) or (1.0,) * ndim, float)
    relative: NDArray[np.float64] = sizes / sizes.min()
    return relative
