"""Active contours as morphological operations on a mask."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Annotated, Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from napari_segment.arrays import Array
from napari_segment.classical._slabs import over_slabs
from napari_segment.classical.grid import checked, kernel_type, require_finite
from napari_segment.classical.histogram import histogram
from napari_segment.classical.regions.markers import checked_markers
from napari_segment.classical.regions.watershed import GradientSigma, gradient_strength
from napari_segment.classical.threshold import criteria
from napari_segment.image import Spacing
from napari_segment.registry import methods
from napari_segment.step import Step

Mask = NDArray[np.uint8]
Smoothing: TypeAlias = Annotated[
    int,
    Field(ge=0, le=10, description="How often the outline is smoothed in each iteration."),
]
Work = Generator[Step, None, NDArray[np.bool_]]


@methods.add(
    "chan_vese",
    title="Chan–Vese",
    gives="mask",
    group="active contours",
    whole="The means of inside and outside are those of the whole image after each iteration.",
)
def chan_vese(
    image: Array,
    markers: Array | None = None,
    *,
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 100,
    smoothing: Smoothing = 1,
    inside_weight: Annotated[float, Field(gt=0)] = 1.0,
    outside_weight: Annotated[float, Field(gt=0)] = 1.0,
) -> Work:
    """Move a contour until inside and outside each have as nearly one intensity as possible.

    It starts around the markers, or around what is brighter than the mean, and stops when nothing
    moves any more. Needs no edges.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN.
    markers : array of the image's shape, optional
        Not 0 where the contour starts inside.
    iterations : int
        At most so many.
    inside_weight, outside_weight : float
        Weights of the squared differences from the mean intensity inside and outside (λ₁ and λ₂ of
        Chan and Vese).

    Returns
    -------
    array of bool
        The inside.

    References
    ----------
    P. Márquez-Neila, L. Baumela and L. Alvarez, "A morphological approach to curvature-based
    evolution of curves and surfaces", IEEE Transactions on Pattern Analysis and Machine
    Intelligence 36(1), 2–17, 2014. :doi:`10.1109/TPAMI.2013.106`
    """
    from napari_segment.classical.regions.contour_kernels import chan_vese_step

    values, start = _prepared(image, markers, "an active contour")
    if start is None:
        mean = values.mean(dtype=np.float64) if values.size else 0.0
        start = (values > mean).view(np.uint8)
    weight = np.array((inside_weight, outside_weight))

    def step(old: Mask, new: Mask) -> None:
        mean = _means(values, old)
        over_slabs(lambda a, b: chan_vese_step(values, old, new, mean, weight, a, b), len(old))

    return (yield from _evolved(start, [step], iterations, smoothing, image.shape))


@methods.add(
    "geodesic_contours",
    title="Geodesic active contours",
    gives="mask",
    group="active contours",
    whole="The contour may travel through the whole image, one voxel in each iteration.",
)
def geodesic_contours(
    image: Array,
    spacing: Spacing = (),
    markers: Array | None = None,
    *,
    sigma: GradientSigma = 1.0,
    balloon: Literal["shrink", "grow", "none"] = "shrink",
    iterations: Annotated[int, Field(ge=1, le=10_000)] = 200,
    smoothing: Smoothing = 1,
) -> Work:
    """Move a contour until it rests on edges.

    It starts around the markers, or just inside the border of the image, and is blown up or lets
    air out where the gradient is weaker than its Otsu threshold; near stronger edges it is drawn
    to them. It stops when nothing moves any more.

    Parameters
    ----------
    image : array (Y, X) or (Z, Y, X)
        Real numbers of any type, without NaN.
    markers : array of the image's shape, optional
        Not 0 where the contour starts inside.
    balloon : {"shrink", "grow", "none"}
        Where the contour moves of its own. To grow it needs markers.
    iterations : int
        At most so many; a contour moves by at most one voxel in each.

    Returns
    -------
    array of bool
        The inside.

    References
    ----------
    P. Márquez-Neila, L. Baumela and L. Alvarez, "A morphological approach to curvature-based
    evolution of curves and surfaces", IEEE Transactions on Pattern Analysis and Machine
    Intelligence 36(1), 2–17, 2014. :doi:`10.1109/TPAMI.2013.106`
    """
    from napari_segment.classical.regions.contour_kernels import attraction_step, balloon_step

    spacing = checked(image, spacing)
    values, start = _prepared(image, markers, "an active contour")
    if start is None:
        start = _within_border(values.shape)
    speed = gradient_strength(image, spacing, sigma).reshape(values.shape)
    del values
    edge = criteria.otsu(histogram(speed, bins=4096))
    speed /= edge if edge > 0 else 1
    speed *= speed
    speed += 1
    np.divide(1, speed, out=speed)
    pull = np.array([1.0] * (3 - image.ndim) + [s**-2 for s in spacing])

    def move(old: Mask, new: Mask) -> None:
        over_slabs(lambda a, b: balloon_step(old, new, speed, balloon == "grow", a, b), len(old))

    def settle(old: Mask, new: Mask) -> None:
        over_slabs(lambda a, b: attraction_step(old, new, speed, pull, a, b), len(old))

    steps = [settle] if balloon == "none" else [move, settle]
    return (yield from _evolved(start, steps, iterations, smoothing, image.shape))


def _prepared(image: Array, markers: Array | None, what: str) -> tuple[NDArray[Any], Mask | None]:
    """The image as a volume, and where the contour starts."""
    checked(image)
    require_finite(image, what)
    given = checked_markers(markers, image.shape)
    values = np.ascontiguousarray(image, kernel_type(image.dtype))
    values = values if values.ndim == 3 else values[None]
    if given is None:
        return values, None
    return values, (given != 0).astype(np.uint8).reshape(values.shape)


def _within_border(shape: Sequence[int]) -> Mask:
    start = np.zeros(shape, np.uint8)
    start[tuple(slice(1, -1) if n > 2 else slice(None) for n in shape)] = 1
    return start


def _means(values: NDArray[Any], mask: Mask) -> NDArray[np.float64]:
    """Mean intensity inside and outside; summed plane by plane, for any number of threads."""
    from napari_segment.classical.regions.contour_kernels import sums_inside

    sums = np.zeros((len(values), 4))
    over_slabs(lambda a, b: sums_inside(values, mask, a, b, sums), len(values))
    total = sums.sum(0)
    return np.asarray(total[::2] / np.maximum(total[1::2], 1))


def _evolved(
    start: Mask,
    steps: Sequence[Callable[[Mask, Mask], None]],
    iterations: int,
    smoothing: int,
    shape: Sequence[int],
) -> Work:
    mask, spare = np.ascontiguousarray(start), np.empty_like(start)
    before = [np.packbits(mask)] * 2
    for done in range(iterations if mask.size else 0):
        for step in steps:
            step(mask, spare)
            mask, spare = spare, mask
        for turn in range(smoothing):
            mask, spare = _smoothed(mask, spare, (done + turn) % 2, len(shape))
        inside = float(np.count_nonzero(mask)) / mask.size
        yield Step(done + 1, iterations, "Moving the contour", {"inside": inside})
        now = np.packbits(mask)
        if np.array_equal(now, before[0]):  # smoothing takes turns, so two rounds make one
            break
        before = [before[1], now]
    return np.not_equal(mask, 0).reshape(shape)


def _smoothed(mask: Mask, spare: Mask, turn: int, ndim: int) -> tuple[Mask, Mask]:
    """Smooth the outline by what fits into it, then what fits around it, or the other way."""
    from napari_segment.classical.regions.contour_kernels import curvature_step

    segments = _SEGMENTS[ndim]
    for value in (1, 0) if turn == 0 else (0, 1):
        old, new = mask, spare
        over_slabs(
            lambda a, b, o=old, n=new, v=value: curvature_step(o, n, segments, v, a, b),  # type: ignore[misc]
            len(mask),
        )
        mask, spare = spare, mask
    return mask, spare


def _flat_segments(ndim: int) -> NDArray[np.int64]:
    """Lines of 3 through the centre of a square, or planes of 9 through that of a cube."""
    around = np.indices((3,) * ndim).reshape(ndim, -1).T - 1
    normals = {tuple(n) for n in around if n.any() and abs(n).sum() <= 2}
    halves = sorted(n for n in normals if n > (0,) * ndim)
    flat = np.array([around[around @ n == 0] for n in halves])
    padded: NDArray[np.int64] = np.zeros((*flat.shape[:2], 3), np.int64)
    padded[..., 3 - ndim :] = flat
    return padded


_SEGMENTS = {ndim: _flat_segments(ndim) for ndim in (2, 3)}
