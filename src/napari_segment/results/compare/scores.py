"""Scores: how well labels agree with a reference."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_segment.image import Holds

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ClassScores:
    """How well one class agrees.

    Parameters
    ----------
    label : int
        The class, 1 for foreground.
    name : str
        Its name, or "".
    common, voxels, reference_voxels : int
        |A ∩ B|, |A| and |B|, with the result A and the reference B.
    surface : mapping of str to float
        Where asked for: "boundary_iou", "hd95", "surface_distance".
    """

    label: int
    name: str
    common: int
    voxels: int
    reference_voxels: int
    surface: Mapping[str, float] = field(default_factory=dict)

    @property
    def dice(self) -> float:
        """2 |A ∩ B| / (|A| + |B|)."""
        return _ratio(2 * self.common, self.voxels + self.reference_voxels)

    @property
    def iou(self) -> float:
        """|A ∩ B| / |A ∪ B|."""
        return _ratio(self.common, self.voxels + self.reference_voxels - self.common)

    @property
    def precision(self) -> float:
        """|A ∩ B| / |A|; NaN where the result has no such voxel."""
        return _ratio(self.common, self.voxels)

    @property
    def recall(self) -> float:
        """|A ∩ B| / |B|; NaN where the reference has no such voxel."""
        return _ratio(self.common, self.reference_voxels)

    def numbers(self) -> dict[str, float]:
        """Return the scores as single numbers."""
        return {
            "dice": self.dice, "iou": self.iou, "precision": self.precision, "recall": self.recall,
        }  # fmt: skip


@dataclass(frozen=True)
class ObjectScores:
    """How well objects agree, matched one to one.

    Parameters
    ----------
    detected, expected : int
        Number of objects in the result and in the reference.
    thresholds : tuple of float
        From which overlap (IoU) on a pair of objects counts as a match.
    matched : tuple of int
        Number of matches at each threshold.
    panoptic_matches : int
        Number of matches at IoU 0.5, whatever the thresholds are.
    panoptic_iou : float
        Sum of the IoU of these matches.
    jaccard : tuple of int
        Intersection and union, in voxels, of each reference object with its best object; objects
        that are paired with none count as union.
    """

    detected: int
    expected: int
    thresholds: tuple[float, ...]
    matched: tuple[int, ...]
    panoptic_matches: int
    panoptic_iou: float
    jaccard: tuple[int, int]

    @property
    def recognition_quality(self) -> float:
        """F1 at IoU 0.5; 1 where there is nothing."""
        total = self.detected + self.expected
        return 2 * self.panoptic_matches / total if total else 1.0

    @property
    def segmentation_quality(self) -> float:
        """Mean IoU of the matches at IoU 0.5; 1 where there is nothing, 0 where none match."""
        if self.panoptic_matches:
            return self.panoptic_iou / self.panoptic_matches
        return float(not self.detected + self.expected)

    @property
    def panoptic_quality(self) -> float:
        """The product of `segmentation_quality` and `recognition_quality`."""
        return self.segmentation_quality * self.recognition_quality

    @property
    def aggregated_jaccard(self) -> float:
        """Aggregated Jaccard index (Kumar et al. 2017, doi:10.1109/TMI.2017.2677499)."""
        common, union = self.jaccard
        return common / union if union else 1.0

    def f1_at(self, threshold: float) -> float:
        """Return 2 matches / (detected + expected) at a threshold; 1 where there is nothing."""
        total = self.detected + self.expected
        return 2 * self._matches(threshold) / total if total else 1.0

    def ap_at(self, threshold: float) -> float:
        """Divide matches by matches + misses + false ones: average precision without scores."""
        matches = self._matches(threshold)
        total = self.detected + self.expected - matches
        return matches / total if total else 1.0

    @property
    def average_precision(self) -> float:
        """Mean of `ap_at` over the thresholds."""
        return float(np.mean([self.ap_at(t) for t in self.thresholds]))

    def numbers(self) -> dict[str, float]:
        """Return the scores as single numbers, at the lowest threshold and over all of them."""
        lowest = self.thresholds[0]
        matches = self.matched[0]
        percent = round(100 * lowest)
        return {
            "f1": self.f1_at(lowest),
            "precision": matches / self.detected if self.detected else math.nan,
            "recall": matches / self.expected if self.expected else math.nan,
            f"ap{percent}": self.ap_at(lowest),
            "average_precision": self.average_precision,
            "panoptic_quality": self.panoptic_quality,
            "segmentation_quality": self.segmentation_quality,
            "recognition_quality": self.recognition_quality,
            "aggregated_jaccard": self.aggregated_jaccard,
        }

    def _matches(self, threshold: float) -> int:
        for known, matches in zip(self.thresholds, self.matched, strict=True):
            if math.isclose(known, threshold):
                return matches
        raise ValueError(f"No matches were counted at IoU {threshold}; known: {self.thresholds}.")


@dataclass(frozen=True)
class Scores:
    """How well labels agree with a reference.

    Parameters
    ----------
    holds : {"mask", "classes", "objects"}
        What was compared.
    classes : tuple of ClassScores
        Every class that occurs in either, or the foreground.
    objects : ObjectScores, optional
        For objects.
    per_object : pandas.DataFrame, optional
        For objects: what each was matched with, see `per_object`.
    unit : str
        Of distances.
    ignored : int
        Number of voxels left out because the reference has no annotation there.
    """

    holds: Holds
    classes: tuple[ClassScores, ...]
    objects: ObjectScores | None = None
    per_object: pd.DataFrame | None = field(default=None, repr=False, compare=False)
    unit: str = "pixel"
    ignored: int = 0

    @property
    def mean_dice(self) -> float:
        """Mean Dice coefficient of the classes; 1 where there are none in either."""
        return float(np.mean([c.dice for c in self.classes])) if self.classes else 1.0

    @property
    def mean_iou(self) -> float:
        """Mean intersection over union of the classes; 1 where there are none in either."""
        return float(np.mean([c.iou for c in self.classes])) if self.classes else 1.0

    @property
    def summary(self) -> dict[str, float]:
        """The scores as single numbers: means over classes, and those of objects."""
        numbers = {"mean_dice": self.mean_dice, "mean_iou": self.mean_iou}
        for key in self.classes[0].surface if self.classes else ():
            values = [c.surface[key] for c in self.classes]
            numbers[f"mean_{key}"] = _mean(values)
        return numbers | (self.objects.numbers() if self.objects else {})

    def to_dict(self) -> dict[str, Any]:
        """Return everything in plain values for JSON; None where a score is not defined."""
        classes = [{**asdict(c), **c.numbers(), "surface": dict(c.surface)} for c in self.classes]
        objects = asdict(self.objects) | self.objects.numbers() if self.objects else None
        plain = {
            "holds": self.holds, "unit": self.unit, "ignored": self.ignored,
            "summary": self.summary, "classes": classes, "objects": objects,
        }  # fmt: skip
        return {key: plain_values(value) for key, value in plain.items()}

    def __str__(self) -> str:
        lines = [_class_line(c, self.unit) for c in self.classes]
        if len(self.classes) > 1:
            lines.append(f"mean: Dice {self.mean_dice:.4f}, IoU {self.mean_iou:.4f}")
        if self.objects:
            lines += _object_lines(self.objects)
        lines = lines or ["Nothing in either."]
        if self.ignored:
            lines.append(f"{self.ignored:,} voxels without annotation are left out")
        return "\n".join(lines)


def _class_line(scores: ClassScores, unit: str) -> str:
    title = scores.name or f"class {scores.label}"
    line = f"{title}: Dice {scores.dice:.4f}, IoU {scores.iou:.4f}"
    if not scores.surface:
        return line
    s = scores.surface
    return (
        f"{line}, boundary IoU {s['boundary_iou']:.4f}, HD95 {s['hd95']:.4g} {unit}, "
        f"mean surface distance {s['surface_distance']:.4g} {unit}"
    )


def _object_lines(scores: ObjectScores) -> list[str]:
    lowest = scores.thresholds[0]
    return [
        f"objects: {scores.detected} detected, {scores.expected} expected, "
        f"{scores.matched[0]} matched at IoU {lowest:g}",
        f"  F1 {scores.f1_at(lowest):.4f}, AP {scores.ap_at(lowest):.4f}, mean AP over IoU "
        f"{lowest:g} to {scores.thresholds[-1]:g} {scores.average_precision:.4f}",
        f"  panoptic quality {scores.panoptic_quality:.4f}, aggregated Jaccard "
        f"{scores.aggregated_jaccard:.4f}",
    ]


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _mean(values: Sequence[float]) -> float:
    defined = [v for v in values if not math.isnan(v)]
    return float(np.mean(defined)) if defined else math.nan


def plain_values(value: object) -> Any:
    """Return a value for JSON: lists and dicts; None for numbers that are not finite."""
    if isinstance(value, Mapping):
        return {key: plain_values(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [plain_values(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
