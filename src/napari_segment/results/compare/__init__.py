"""Compare labels with a reference: overlap, objects and surfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks import overlaps
from napari_segment.errors import InputError
from napari_segment.image import Holds, Labels
from napari_segment.results.compare.error_maps import ERRORS as ERRORS
from napari_segment.results.compare.error_maps import error_map as error_map
from napari_segment.results.compare.objects import Overlap, per_object, score_objects
from napari_segment.results.compare.pairing import IgnoreIndex as IgnoreIndex
from napari_segment.results.compare.pairing import annotated, paired, times
from napari_segment.results.compare.scores import ClassScores as ClassScores
from napari_segment.results.compare.scores import ObjectScores as ObjectScores
from napari_segment.results.compare.scores import Scores as Scores
from napari_segment.results.compare.several import Aggregate as Aggregate
from napari_segment.results.compare.several import aggregate as aggregate
from napari_segment.results.compare.surface import surface_scores

THRESHOLDS = (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def compare(
    labels: Labels | Any,
    reference: Labels | Any,
    *,
    thresholds: Sequence[float] = THRESHOLDS,
    surface: bool = False,
    ignore_index: IgnoreIndex = "none",
) -> Scores:
    """Score labels against a reference.

    Labels whose axes are stored in another order or direction than the reference's are turned onto
    it; those on another grid are resampled by nearest neighbour, with a warning.

    Parameters
    ----------
    labels, reference : Labels or array
        The result and the truth. Two stacks of objects are compared object by object, two of
        classes class by class; where one is a mask, foreground is compared with foreground.
        Boolean arrays are masks, others objects. Lazy ones are read block by block.
    thresholds : sequence of float
        Overlaps (IoU), rising, from which on a pair of objects is a match.
    surface : bool
        Whether to measure distances between surfaces and the overlap of boundaries too. This
        needs each class in memory.
    ignore_index : int or "none"
        Number in the reference of voxels without annotation, which are left out as those of
        negative numbers are. Objects are scored on what is left of them.

    Returns
    -------
    Scores
        ``print(scores)``, ``scores.summary`` and ``scores.to_dict()`` show them.

    Raises
    ------
    GeometryError
        If the two do not overlap in the world, or, where a position is unknown, differ in shape or
        spacing.
    InputError
        If they hold different things, or no voxel of the reference is annotated.

    Examples
    --------
    >>> scores = compare(np.array([[1, 1, 0, 2]]), np.array([[1, 1, 0, 0]]))
    >>> scores.objects.detected, scores.objects.matched[0], scores.objects.f1_at(0.5)
    (2, 1, 0.6666666666666666)
    """
    labels, reference, holds = paired(labels, reference)
    whole = [overlaps(a.data, b.data) for a, b in times(labels, reference)]
    tables = [annotated(pairs, voxels, ignore_index) for pairs, voxels in whole]
    ignored = _left_out(whole, tables)
    names = {**labels.names, **reference.names}
    classes = _score_classes(_pooled(tables, holds), holds, names)
    measured = labels if reference.unit == "pixel" else reference
    if surface:
        if ignored:
            labels, reference = (_without(s, reference, ignore_index) for s in (labels, reference))
        spacing = tuple(measured.spacing)
        classes = tuple(
            replace(c, surface=surface_scores(labels, reference, holds, c.label, spacing))
            for c in classes
        )
    if holds != "objects":
        return Scores(holds, classes, unit=measured.unit, ignored=ignored)
    objects = score_objects(tables, tuple(thresholds))
    timed = "T" in labels.axes
    return Scores(holds, classes, objects, per_object(tables, timed), measured.unit, ignored)


def _left_out(
    whole: Sequence[tuple[NDArray[np.int64], NDArray[np.int64]]], tables: Sequence[Overlap]
) -> int:
    total = sum(int(voxels.sum()) for _, voxels in whole)
    annotated = sum(int(table.voxels.sum()) for table in tables)
    if total and not annotated:
        numbers = sorted({int(number) for pairs, _ in whole for number in pairs[:, 1]})
        raise InputError(
            f"No voxel of the reference is annotated: it holds only {numbers[:8]}, which are "
            "negative or ignore_index. Give the number of voxels without annotation."
        )
    return total - annotated


def _without(stack: Labels, reference: Labels, ignore_index: IgnoreIndex) -> Labels:
    """Labels with background where the reference is without annotation."""
    annotated = reference.data >= 0
    if ignore_index != "none":
        annotated = annotated & (reference.data != ignore_index)
    return stack.replace(data=stack.data * annotated)


def _pooled(tables: Sequence[Overlap], holds: Holds) -> tuple[NDArray[Any], NDArray[Any]]:
    """Pool the pairs and voxel counts of all time points; without classes, foreground is 1."""
    pairs = np.concatenate([t.pairs for t in tables])
    voxels = np.concatenate([t.voxels for t in tables])
    return (pairs if holds == "classes" else (pairs > 0).astype(np.int64)), voxels


def _score_classes(
    table: tuple[NDArray[Any], NDArray[Any]], holds: Holds, names: Mapping[int, str]
) -> tuple[ClassScores, ...]:
    pairs, voxels = table
    ids = np.unique(pairs)
    scores = []
    for label in ids[ids > 0].tolist():
        ours, theirs = pairs[:, 0] == label, pairs[:, 1] == label
        both = int(voxels[ours & theirs].sum())
        a, b = int(voxels[ours].sum()), int(voxels[theirs].sum())
        name = names.get(label, "") if holds == "classes" else "foreground"
        scores.append(ClassScores(label, name, both, a, b))
    return tuple(scores)
