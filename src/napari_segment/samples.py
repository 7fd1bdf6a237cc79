"""Images made here, with known truth: for trying things out, for tests and for the demonstration.

Every function draws from a seed, so that the same call gives the same pixels, and returns an
`Image` with the `Labels` that it was made of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from numpy.random import Generator, default_rng
from numpy.typing import NDArray

from napari_segment.errors import InputError
from napari_segment.image import RGB, Image, Labels, smallest_integers

Sample: TypeAlias = tuple[Image, Labels]
Floats: TypeAlias = NDArray[np.float64]


def nuclei(shape: tuple[int, int] = (512, 512), *, seed: int = 0) -> Sample:
    """Fluorescent nuclei, some of them touching, on an uneven background with camera noise.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels of 0.325 micrometres.
    seed : int
        The same seed gives the same pixels.

    Returns
    -------
    Image
        YX, uint16.
    Labels
        Objects.
    """
    rng, spacing = default_rng(seed), (0.325, 0.325)
    labels = _objects(shape, spacing, (2.8, 5.0), 0.22, rng)
    light = _stained(labels, rng) * 900 + 150 * _uneven(shape, rng)
    return _fluorescent(light, labels, "YX", spacing, rng, "nuclei")


def cells(shape: tuple[int, int, int] = (32, 160, 160), *, seed: int = 0) -> Sample:
    """A stack of fluorescent cells whose planes lie four times as far apart as its pixels.

    Parameters
    ----------
    shape : tuple of int
        Planes of 1.3, and height and width in pixels of 0.325 micrometres.
    seed : int
        The same seed gives the same pixels.

    Returns
    -------
    Image
        ZYX, uint16.
    Labels
        Objects.
    """
    rng, spacing = default_rng(seed), (1.3, 0.325, 0.325)
    labels = _objects(shape, spacing, (3.5, 5.5), 0.2, rng)
    light = _stained(labels, rng) * 700 + 100 * _uneven(shape, rng)
    return _fluorescent(light, labels, "ZYX", spacing, rng, "cells")


def two_tissues(shape: tuple[int, int, int] = (24, 64, 64), *, seed: int = 0) -> Sample:
    """An organ with lesions in it, and bright distractors outside: intensity alone won't do.

    Lesions and distractors look the same, the organ is little brighter than its surroundings,
    and the sensitivity varies through the stack, as in MR images.

    Parameters
    ----------
    shape : tuple of int
        Slices 2 mm apart, and height and width in pixels of 1 mm.
    seed : int
        The same seed gives the same voxels.

    Returns
    -------
    Image
        ZYX, float32.
    Labels
        Classes: 1 organ, 2 lesion.
    """
    rng, spacing = default_rng(seed), (2.0, 1.0, 1.0)
    extent = np.multiply(shape, spacing)
    organ = _blob(shape, spacing, extent * rng.uniform(0.42, 0.58, 3), extent.min() * 0.36, rng)
    spots = _objects(shape, spacing, (3.0, 6.0), 0.1, rng) > 0
    classes = np.where(organ, np.where(spots, 2, 1), 0).astype(np.uint8)
    light: Floats = np.where(spots, 1.2, np.where(organ, 0.75, 0.4))
    light = _blurred(light, spacing, 1.0) * (0.75 + 0.5 * _uneven(shape, rng))
    light += rng.normal(0, 0.09, shape)
    image = Image(
        (100 * light).astype(np.float32), "ZYX", spacing, "millimeter", name="two tissues"
    )
    names = {1: "organ", 2: "lesion"}
    return image, Labels(
        classes, "ZYX", spacing, "millimeter", name="two tissues", holds="classes", names=names
    )


def time_lapse(shape: tuple[int, int, int] = (12, 160, 160), *, seed: int = 0) -> Sample:
    """Cells that wander, every ten minutes; a cell keeps its label through time.

    Parameters
    ----------
    shape : tuple of int
        Time points, and height and width in pixels of 0.65 micrometres.
    seed : int
        The same seed gives the same pixels.

    Returns
    -------
    Image
        TYX, uint16.
    Labels
        Objects; one that left the picture is missing from then on.
    """
    rng, spacing = default_rng(seed), (0.65, 0.65)
    times, *plane = shape
    centres, radii = _positions(tuple(plane), spacing, (4.5, 7.0), 0.16, rng)
    turned = _turns(len(centres), 2, rng)
    speed = rng.normal(0, 1.2, centres.shape)
    frames = []
    for _ in range(times):
        frames.append(_painted(tuple(plane), spacing, centres, radii, turned))
        speed += rng.normal(0, 0.25, centres.shape)
        centres = centres + speed
    labels = np.stack(frames).astype(smallest_integers(len(centres)))
    bright = rng.uniform(0.6, 1.0, len(centres) + 1)
    bright[0] = 0
    background = 60 * _uneven(tuple(plane), rng)
    light = np.stack([_blurred(bright[f], spacing, 0.8) * 500 + background for f in labels])
    image, truth = _fluorescent(light, labels, "TYX", spacing, rng, "time lapse")
    return image.replace(interval=600.0), truth.replace(interval=600.0)


def stained_tissue(shape: tuple[int, int] = (256, 256), *, seed: int = 0) -> Sample:
    """A section stained with haematoxylin and eosin: purple nuclei in pink tissue.

    Parameters
    ----------
    shape : tuple of int
        Height and width in pixels of 0.5 micrometres.
    seed : int
        The same seed gives the same pixels.

    Returns
    -------
    Image
        YXC, uint8, RGB.
    Labels
        Objects: the nuclei.
    """
    rng, spacing = default_rng(seed), (0.5, 0.5)
    labels = _objects(shape, spacing, (2.6, 4.6), 0.18, rng)
    haematoxylin = _stained(labels, rng) * 0.9 + 0.04
    eosin = 0.25 + 0.35 * _uneven(shape, rng, scale=0.08)
    # How much of red, green and blue each dye absorbs (Ruifrok and Johnston, 2001).
    density = haematoxylin[..., None] * (0.65, 0.70, 0.29) + eosin[..., None] * (0.07, 0.99, 0.11)
    light = 255 * 10**-density + rng.normal(0, 3, (*shape, 3))
    data = np.clip(np.rint(light), 0, 255).astype(np.uint8)
    image = Image(data, "YXC", spacing, "micrometer", name="stained tissue", channels=RGB)
    return image, Labels(labels, "YX", spacing, "micrometer", name="stained tissue")


SAMPLES: Mapping[str, Callable[..., Sample]] = MappingProxyType(
    {f.__name__: f for f in (nuclei, cells, two_tissues, time_lapse, stained_tissue)}
)


def as_mask(labels: Labels) -> Labels:
    """Objects or classes as one mask: 1 where there is any."""
    return replace(labels, data=(labels.data > 0).astype(np.uint8), holds="mask", names={})


def as_trimap(labels: Labels) -> Labels:
    """Objects as classes: 1 their inside, 2 their border, one pixel wide on either side.

    Parameters
    ----------
    labels : Labels
        Objects in one plane or volume.

    Returns
    -------
    Labels
        Classes "inside" and "border".
    """
    from scipy.ndimage import maximum_filter, minimum_filter

    objects = np.asarray(labels.data)
    border = maximum_filter(objects, 3) != minimum_filter(objects, 3)
    classes = np.where(border, 2, objects > 0).astype(np.uint8)
    return replace(labels, data=classes, holds="classes", names={1: "inside", 2: "border"})


# ---- objects ----


def _objects(
    shape: Sequence[int],
    spacing: Sequence[float],
    radius: tuple[float, float],
    filled: float,
    rng: Generator,
) -> NDArray[np.unsignedinteger[Any]]:
    """Label ellipsoids that may touch; where two overlap, each keeps its nearer part."""
    centres, radii = _positions(shape, spacing, radius, filled, rng)
    turned = _turns(len(centres), len(shape), rng)
    return _painted(shape, spacing, centres, radii, turned).astype(smallest_integers(len(centres)))


def _positions(
    shape: Sequence[int],
    spacing: Sequence[float],
    radius: tuple[float, float],
    filled: float,
    rng: Generator,
) -> tuple[Floats, Floats]:
    """Centres and radii (N, D) that fill about a part of the space without much overlap."""
    extent = np.multiply(shape, spacing)
    if min(shape) < 2:
        raise InputError(f"A sample of shape {tuple(shape)} is too small; give at least 2 pixels.")
    mean = float(np.mean(radius))
    ball = np.pi * mean**2 if len(shape) == 2 else 4 / 3 * np.pi * mean**3
    wanted = max(int(filled * extent.prod() / ball), 3)
    centres, radii = np.empty((0, len(shape))), np.empty((0, len(shape)))
    for _ in range(20 * wanted):
        size = rng.uniform(*radius) * rng.uniform(0.8, 1.2, len(shape))
        centre = rng.uniform(0, 1, len(shape)) * extent
        reach = 0.9 * (radii.mean(1) + size.mean())
        if (np.linalg.norm(centres - centre, axis=1) >= reach).all():
            centres, radii = np.vstack([centres, centre]), np.vstack([radii, size])
        if len(centres) == wanted:
            break
    return centres, radii


def _turns(count: int, ndim: int, rng: Generator) -> Floats:
    """Random rotations (N, D, D)."""
    return np.linalg.qr(rng.normal(size=(count, ndim, ndim)))[0]


def _painted(
    shape: Sequence[int], spacing: Sequence[float], centres: Floats, radii: Floats, turned: Floats
) -> NDArray[np.uint32]:
    labels = np.zeros(shape, np.uint32)
    nearest = np.ones(shape)
    for number, (centre, size, turn) in enumerate(zip(centres, radii, turned, strict=True), 1):
        low = np.floor((centre - size.max()) / spacing).astype(int)
        high = np.ceil((centre + size.max()) / spacing).astype(int) + 1
        box = tuple(slice(max(a, 0), max(b, 0)) for a, b in zip(low, high, strict=True))
        grid = np.meshgrid(
            *(np.arange(n)[b] * s for n, b, s in zip(shape, box, spacing, strict=True)),
            indexing="ij",
        )
        offset = np.stack([g - c for g, c in zip(grid, centre, strict=True)], axis=-1)
        distance = (((offset @ turn) / size) ** 2).sum(-1)
        won = distance < nearest[box]
        labels[box][won], nearest[box][won] = number, distance[won]
    return labels


def _blob(
    shape: Sequence[int], spacing: Sequence[float], centre: Floats, radius: float, rng: Generator
) -> NDArray[np.bool_]:
    """A ball with a wavy surface."""
    grid = np.meshgrid(
        *(np.arange(n) * s for n, s in zip(shape, spacing, strict=True)), indexing="ij"
    )
    distance = np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)))
    return np.asarray(distance < radius * (0.75 + 0.5 * _uneven(shape, rng, scale=0.12)))


# ---- light ----


def _blurred(light: Floats, spacing: Sequence[float], voxels: float) -> Floats:
    from scipy.ndimage import gaussian_filter

    finest = min(spacing)
    return np.asarray(gaussian_filter(light, [voxels * finest / s for s in spacing]), np.float64)


def _uneven(shape: Sequence[int], rng: Generator, scale: float = 0.25) -> Floats:
    """A smooth random field from 0 to 1; `scale` is its coarseness as a part of each side."""
    from scipy.ndimage import gaussian_filter, zoom

    coarse = [max(min(n, 32), 1) for n in shape]
    field = gaussian_filter(rng.normal(size=coarse), [scale * n for n in coarse], mode="reflect")
    field = zoom(field, [n / c for n, c in zip(shape, coarse, strict=True)], order=1)
    low, high = field.min(), field.max()
    return np.asarray((field - low) / max(high - low, 1e-12), np.float64)


def _stained(labels: NDArray[Any], rng: Generator) -> Floats:
    """Each object in its own brightness up to 1, with texture, seen through a microscope."""
    bright = rng.uniform(0.55, 1.0, int(labels.max(initial=0)) + 1)
    bright[0] = 0
    texture = _blurred(rng.normal(size=labels.shape), (1,) * labels.ndim, 2.0)
    texture /= max(float(texture.std()), 1e-12)
    return _blurred(bright[labels] * (1 + 0.12 * texture), (1,) * labels.ndim, 0.8)


def _fluorescent(
    light: Floats,
    labels: NDArray[Any],
    axes: str,
    spacing: Sequence[float],
    rng: Generator,
    name: str,
) -> Sample:
    """What a camera makes of light: photon noise, read-out noise, an offset and 16 bits."""
    counts = rng.poisson(np.clip(light, 0, None)) + rng.normal(100, 6, light.shape)
    data = np.clip(np.rint(counts), 0, 65535).astype(np.uint16)
    image = Image(data, axes, spacing, "micrometer", name=name)
    return image, Labels(labels, axes, spacing, "micrometer", name=name)
