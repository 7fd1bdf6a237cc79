"""Plan: what a training does, decided from the fingerprint by rules that a person can read.

Each rule takes the measured numbers and returns a value with a sentence that gives the reason. A
setting that is not "auto" takes precedence over its rule, which the reason then states.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from napari_segment.aliases import current_settings
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.label_semantics import Objects, label_semantics
from napari_segment.deep.planning.normalisation import Normalisation, Scheme
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.errors import SettingError
from napari_segment.image import Holds
from napari_segment.io.datasets.pairs import Pairs

_THIN = 8  # a stack of fewer planes is taken plane by plane
_SPACING_DIFFERS = 1.05
_BODY = ("millimeter", "millimetre", "mm")


class Plan(BaseModel):
    """What a training does, decided from the data and the settings.

    Fields of the same names as those of `Checkpoint` mean the same; the others are:

    Parameters
    ----------
    batch, accumulate : int
        Patches a step on the device, and steps whose gradients make one update.
    steps : int
        Updates an epoch.
    lr : float
        Highest learning rate where it was looked for; 0 for that of the settings.
    ignore_index : int, optional
        The label of voxels that nobody labelled.
    mirrored : bool
        Whether patches may be mirrored: not where the images have a left and a right.
    stacked : bool
        Whether a 2-D network sees planes of stacks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    holds: Holds
    ndim: Literal[2, 3]
    slices: int = 1
    channels: tuple[str, ...]
    values: tuple[int, ...] = ()
    names: dict[int, str] = Field(default_factory=dict)
    objects: Objects | None = None
    normalisation: tuple[Normalisation, ...]
    spacing: tuple[float, ...] = ()
    unit: str = "pixel"
    patch: tuple[int, ...]
    batch: int
    accumulate: int = 1
    steps: int
    lr: float = 0.0
    ignore_index: int | None = None
    mirrored: bool = True
    stacked: bool = False
    reasons: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _with_current_names(cls, given: object) -> object:
        if not isinstance(given, Mapping):
            return given
        return current_settings("plans", "plan", given, frozenset(cls.model_fields))

    @property
    def channels_in(self) -> int:
        return len(self.channels) * self.slices

    @property
    def channels_out(self) -> int:
        """One for a mask, as many as `Objects.outputs` for objects, else one a class."""
        if self.tells_kinds:
            return 1 + max(self.names)
        if self.objects is not None:
            return self.objects.outputs(self.ndim)
        return 1 if self.holds == "mask" else len(self.values)

    @property
    def tells_kinds(self) -> bool:
        """Return whether objects have classes, which a detector learns."""
        return self.objects is not None and self.objects.target == "instances" and bool(self.names)

    @property
    def activation(self) -> Literal["softmax", "sigmoid"]:
        return "softmax" if self.holds == "classes" else "sigmoid"


def make_plan(
    items: Sequence[Item], pairs: Pairs, settings: TrainSettings, memory: int, accelerated: bool
) -> Plan:
    """Decide each setting that is "auto", and whatever else follows from the data.

    Parameters
    ----------
    items : sequence of Item
        All cases, measured.
    pairs : Pairs
        Where they come from.
    settings : TrainSettings
    memory : int
        Free bytes of the device.
    accelerated : bool
        Whether the device is faster than a CPU.

    Returns
    -------
    Plan
    """
    labels = label_semantics(items, pairs, settings)
    reasons = dict(labels.reasons)
    ndim, stacked = _dimensions(items, settings, reasons)
    spacing, unit = _spacing(items, settings, reasons)
    shapes = np.array([_shape_at(i, spacing) for i in items])
    patch = _patch(shapes[:, -ndim:], ndim, settings, memory, accelerated, reasons)
    batch = _batch(patch, settings, accelerated, reasons)
    return Plan(
        holds=labels.holds,
        ndim=ndim,
        slices=_slices(ndim, stacked, settings),
        stacked=stacked,
        channels=items[0].channels,
        values=labels.values,
        names=labels.names,
        objects=labels.objects,
        normalisation=_normalisation(items, settings, reasons),
        spacing=spacing,
        unit=unit,
        patch=patch,
        batch=batch,
        accumulate=settings.accumulate,
        steps=_steps(shapes, patch, batch * settings.accumulate, settings, reasons),
        ignore_index=labels.ignore_index,
        mirrored=_mirrored(items, reasons),
        reasons=reasons,
    )


def _mirrored(items: Sequence[Item], reasons: dict[str, str]) -> bool:
    """Anatomy is seen from one side: its mirror image teaches a network what it never meets.

    On the hippocampus data Dice is 0.871 after 3 epochs without mirroring, 0.873 after 15 with.
    """
    anatomy = any(i.unit in _BODY for i in items)
    reasons["mirrored"] = (
        f"no, as images in {items[0].unit} mostly show a body, which has a left and a right"
        if anatomy
        else "yes, as nothing says that the images have a left and a right"
    )
    return not anatomy


def _dimensions(
    items: Sequence[Item], settings: TrainSettings, reasons: dict[str, str]
) -> tuple[Literal[2, 3], bool]:
    axes = len(items[0].shape)
    planes = float(np.median([i.shape[0] for i in items])) if axes == 3 else 1
    if settings.ndim == "3" and axes == 2:
        raise SettingError("A 3-D network was asked for, but the images are 2-D.")
    if axes == 2:
        reasons["ndim"] = "2, as the images are"
        return 2, False
    if settings.ndim == "2" or (settings.ndim == "auto" and planes < _THIN):
        reasons["ndim"] = f"2, plane by plane: the stacks have {planes:g} planes (median)"
        return 2, True
    reasons["ndim"] = f"3, as the stacks have {planes:g} planes (median)"
    return 3, False


def _slices(ndim: int, stacked: bool, settings: TrainSettings) -> int:
    if settings.slices > 1 and not (ndim == 2 and stacked):
        raise SettingError(
            "Neighbouring slices are seen by 2-D networks over stacks: give ndim=2 and stacks."
        )
    return settings.slices


def _spacing(
    items: Sequence[Item], settings: TrainSettings, reasons: dict[str, str]
) -> tuple[tuple[float, ...], str]:
    axes, unit = len(items[0].shape), items[0].unit
    if settings.spacing != "auto":
        if len(settings.spacing) != axes:
            raise SettingError(f"Give {axes} spacings, one an axis, not {settings.spacing}.")
        reasons["spacing"] = "as given"
        return settings.spacing, unit
    if unit == "pixel" or any(i.unit != unit for i in items):
        reasons["spacing"] = "as the images are: they do not (all) say how large a voxel is"
        return (), "pixel"
    spacings = np.array([i.spacing for i in items])
    median = np.median(spacings, axis=0)
    same = bool((spacings.max(0) / spacings.min(0) < _SPACING_DIFFERS).all())
    reasons["spacing"] = "the same in all cases" if same else "the median of the cases"
    return tuple(float(f"{s:.6g}") for s in median), unit


def _shape_at(item: Item, spacing: Sequence[float]) -> tuple[int, ...]:
    if not spacing:
        return item.shape
    sides = zip(item.shape, item.spacing, spacing, strict=True)
    return tuple(max(1, round(n * have / want)) for n, have, want in sides)


def _patch(
    shapes: np.ndarray[Any, Any],
    ndim: int,
    settings: TrainSettings,
    memory: int,
    accelerated: bool,
    reasons: dict[str, str],
) -> tuple[int, ...]:
    """The median image, with its longest sides cut until it has no more voxels than allowed."""
    if settings.patch != "auto":
        if len(settings.patch) != ndim:
            raise SettingError(
                f"The patch {settings.patch} has {len(settings.patch)} sides: give {ndim}."
            )
        reasons["patch"] = "as given"
        return settings.patch
    allowed = 2.0**16 if ndim == 2 else 2.0**18
    if accelerated:
        allowed *= np.clip(memory / 2**32, 1, 8)
    least = 8 if ndim == 3 else 16
    sides = np.maximum(np.median(shapes, axis=0), least)
    while prod(_rounded(sides, least)) > allowed:
        sides[int(np.argmax(sides))] *= 0.95
    whole = bool((sides >= np.median(shapes, axis=0)).all())
    part = "whole" if whole else f"at most {int(allowed):,} voxels of it"
    reasons["patch"] = f"the median image, {part}"
    return _rounded(sides, least)


def _rounded(sides: np.ndarray[Any, Any], multiple: int) -> tuple[int, ...]:
    return tuple(int(np.ceil(s / multiple)) * multiple for s in sides)


def _batch(
    patch: Sequence[int], settings: TrainSettings, accelerated: bool, reasons: dict[str, str]
) -> int:
    if settings.batch != "auto":
        reasons["batch"] = "as given"
        return settings.batch
    allowed = 2**21 if accelerated else 2**18
    batch = int(np.clip(allowed // prod(patch), 2, 32))
    reasons["batch"] = f"at most {allowed:,} voxels a step, at least 2 patches"
    return batch


def _steps(
    shapes: np.ndarray[Any, Any],
    patch: Sequence[int],
    batch: int,
    settings: TrainSettings,
    reasons: dict[str, str],
) -> int:
    """As many updates as show each part of each case about once, 25 to 250."""
    if settings.steps != "auto":
        reasons["steps"] = "as given"
        return settings.steps
    voxels = sum(max(prod(map(int, s)), prod(patch)) for s in shapes)
    steps = int(np.clip(round(voxels / prod(patch) / batch), 25, 250))
    reasons["steps"] = "each part of each case about once an epoch, 25 to 250 updates"
    return steps


def _normalisation(
    items: Sequence[Item], settings: TrainSettings, reasons: dict[str, str]
) -> tuple[Normalisation, ...]:
    channels = range(len(items[0].channels))
    if settings.normalisation != "auto":
        reasons["normalisation"] = "as given"
        return tuple(_of_scheme(settings.normalisation, items, c) for c in channels)
    scheme, reasons["normalisation"] = _scheme(items)
    return tuple(_of_scheme(scheme, items, c) for c in channels)


def _scheme(items: Sequence[Item]) -> tuple[Scheme, str]:
    """Hounsfield-like data are normalised alike; everything else image by image."""
    quantiles = np.array([i.quantiles for i in items])
    low, high = quantiles[:, 0, 0], quantiles[:, 0, 2]
    signed = all(i.dtype.startswith(("int", "float")) for i in items)
    if signed and len(items[0].channels) == 1 and np.median(low) < -500 and low.min() > -5000:
        return "fixed", "one scale for all, as intensities reach below -500 like Hounsfield units"
    spread = high - low
    if not spread.min() > 0:
        return "zscore", "each image by itself (some hold one value alone)"
    ratio = float(spread.max() / spread.min())
    shown = f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"
    return "zscore", f"each image by itself (their ranges differ by a factor of {shown})"


def _of_scheme(scheme: Scheme, items: Sequence[Item], channel: int) -> Normalisation:
    if scheme != "fixed":
        return Normalisation(
            scheme=scheme, percentiles=(1.0, 99.8) if scheme == "percentile" else (0.1, 99.9)
        )
    values = np.concatenate([i.foreground[channel] for i in items])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, (0.5, 99.5)) if values.size else (0.0, 1.0)
    inside = np.clip(values, low, high)
    scale = float(inside.std()) if inside.size else 1.0
    return Normalisation(
        scheme="fixed", clip=(float(low), float(high)), shift=float(inside.mean()), scale=scale or 1
    )


def describe(plan: Plan, shares: Mapping[int, float]) -> str:
    """Return the plan in one line, for a person."""
    what = {
        "mask": "a mask", "classes": f"{len(plan.values)} classes with the background",
        "objects": "objects",
    }[plan.holds]  # fmt: skip
    marked = sum(shares.values())
    rare = f"{marked:.1%} of the voxels are marked" + (
        f", {min(shares.values()):.2%} as the rarest class" if plan.holds == "classes" else ""
    )
    sides = "×".join(map(str, plan.patch))
    return (
        f"{plan.ndim}-D network for {what} ({rare}), patches of {sides}, {plan.batch} a step, "
        f"{plan.steps} steps an epoch"
    )
