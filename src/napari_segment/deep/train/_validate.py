"""Validation: whole cases through the network, scored against their labels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_segment.deep.data.batches import Samples, planes_as_channels
from napari_segment.deep.data.cases import Item
from napari_segment.deep.data.patches import Sample
from napari_segment.deep.fingerprint import Plan
from napari_segment.deep.plan import Objects
from napari_segment.deep.targets import decode
from napari_segment.results.compare.surface import hausdorff_95
from napari_segment.step import run

_FITTED_ON = 24  # cases on which the thresholds of objects are chosen


@dataclass(frozen=True)
class Counts:
    """Voxels of each class in one case: in both, in the prediction, in the reference."""

    both: NDArray[np.int64]
    predicted: NDArray[np.int64]
    reference: NDArray[np.int64]

    @classmethod
    def of(cls, predicted: NDArray[Any], reference: NDArray[Any], classes: int) -> Counts:
        """Count; voxels of a negative reference are left out."""
        known = reference >= 0
        have, want = predicted[known].astype(np.int64), reference[known].astype(np.int64)
        table = np.bincount(want * classes + have, minlength=classes**2).reshape(classes, classes)
        return cls(table.diagonal(), table.sum(0), table.sum(1))

    def dice(self) -> NDArray[np.float64]:
        """Dice of each class; NaN where it is in neither."""
        return _ratio(2 * self.both, self.predicted + self.reference)

    def iou(self) -> NDArray[np.float64]:
        """Intersection over union of each class; NaN where it is in neither."""
        return _ratio(self.both, self.predicted + self.reference - self.both)

    def accuracy(self) -> float:
        """Voxels of the right class over all that are labelled; NaN where none is."""
        known = int(self.reference.sum())
        return float(self.both.sum()) / known if known else float("nan")


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0)


def logits_of(
    network: Callable[[Tensor], Tensor], sample: Sample, plan: Plan, device: torch.device
) -> NDArray[np.float32]:
    """Logits ``(K, *S)`` of a whole sample."""
    if plan.stacked:
        planes = [planes_as_channels(sample, z, plan.slices) for z in range(sample.shape[0])]
        return np.stack([logits_of_one(network, p, plan, device) for p in planes], 1)
    return logits_of_one(network, sample, plan, device)


def logits_of_one(
    network: Callable[[Tensor], Tensor], sample: Sample, plan: Plan, device: torch.device
) -> NDArray[np.float32]:
    """Logits of a sample, in the tiles in which `segment` will predict it."""
    from napari_segment.deep.predict import predict, probabilities

    found = run(
        predict(
            network, sample.image, tile=plan.patch, overlap=0.25, device=str(device),
            decode=probabilities("none"),
        )
    )  # fmt: skip
    return np.asarray(found, np.float32)


class Validation:
    """Scores of a network on the validation cases.

    Parameters
    ----------
    items : sequence of Item
        The cases, or this process's part of them.
    samples : Samples
        Where they come from.
    plan : Plan
        What the outputs mean.
    device : torch.device
        Where the network is.
    dtype : torch.dtype
        Of the computation.
    """

    def __init__(
        self,
        items: Sequence[Item],
        samples: Samples,
        plan: Plan,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.items, self.samples, self.plan = items, samples, plan
        self.device, self.dtype = device, dtype
        self._found: dict[Item, NDArray[np.uint8 | np.uint16]] = {}

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> list[dict[str, float]]:
        """Score every case: Dice and IoU of each class, accuracy, and AP at IoU 0.5 of objects."""
        return [self._scores(item, self.logits(network, item)) for item in self.items]

    def surfaces(self) -> list[dict[str, float]]:
        """HD95 of each class in the cases as they were last segmented, in units of the spacing."""
        return [self._distances(item, labels) for item, labels in self._found.items()]

    def _distances(self, item: Item, labels: NDArray[Any]) -> dict[str, float]:
        wanted = np.rint(self.samples(item).target[0])
        labels = np.where(wanted >= 0, labels, 0)
        spacing = self.plan.spacing or item.spacing
        return {
            f"hd95 {name}": hausdorff_95(labels == k, wanted == k, spacing)
            for k, name in enumerate(self._names(self._classes)) if k
        }  # fmt: skip

    @property
    def _classes(self) -> int:
        return len(self.plan.values) if self.plan.holds == "classes" else 2

    @torch.no_grad()
    def logits(self, network: nn.Module, item: Item) -> NDArray[np.float32]:
        """Logits of one whole case."""
        network.eval()

        def forward(image: Tensor) -> Tensor:
            enabled = self.dtype != torch.float32
            with torch.autocast(self.device.type, self.dtype, enabled=enabled):
                logits: Tensor = network(image)
            return logits.float()

        return logits_of(forward, self.samples(item), self.plan, self.device)

    def labels(self, logits: NDArray[np.float32]) -> NDArray[np.int64]:
        """Class indices, or the foreground of objects and of a mask."""
        if self.plan.holds == "classes":
            return np.asarray(torch.from_numpy(logits).max(0).indices.numpy())
        return np.asarray(logits[0] > 0, np.int64)

    def _scores(self, item: Item, logits: NDArray[np.float32]) -> dict[str, float]:
        wanted = np.rint(self.samples(item).target[0]).astype(np.int64)
        labels, classes = self.labels(logits), self._classes
        self._found[item] = labels.astype(np.uint8 if classes <= 256 else np.uint16)
        counts = Counts.of(labels, wanted, classes)
        found = {
            f"{score} {name}": float(value)
            for score, values in (("dice", counts.dice()), ("iou", counts.iou()))
            for name, value in zip(self._names(classes)[1:], values[1:], strict=True)
        }
        found["accuracy"] = counts.accuracy()
        if self.plan.objects is not None:
            reference = self.objects(item)
            if reference is not None:
                found["ap"] = average_precision(self.decode(logits, self.plan.objects), reference)
        return found

    def objects(self, item: Item) -> NDArray[Any] | None:
        """Reference objects on the network's grid, or None where they were resampled."""
        labels = self.samples.cases.read(item)[1]
        return labels if labels.shape == self.samples(item).shape else None

    def decode(self, logits: NDArray[np.float32], objects: Objects) -> NDArray[np.int32]:
        """Objects in logits, plane by plane of a 2-D network over stacks."""
        probabilities = 1 / (1 + np.exp(-logits))
        if not self.plan.stacked:
            return decode(probabilities, objects)
        planes = [decode(p, objects) for p in probabilities.swapaxes(0, 1)]
        return np.stack(planes)

    def fitted(self, network: nn.Module) -> tuple[Objects, float]:
        """The thresholds that give the best average precision on the cases, and that precision.

        First the seed's threshold is chosen, then the foreground's, on at most 24 of the cases.
        """
        assert self.plan.objects is not None
        chosen = self.items[:: max(1, len(self.items) // _FITTED_ON)]
        known = [(self.logits(network, i), self.objects(i)) for i in chosen]
        pairs = [(logits, reference) for logits, reference in known if reference is not None]
        if not pairs:
            return self.plan.objects, float("nan")
        best = self.plan.objects.model_copy(update={"size": _least_size(r for _, r in pairs)})
        score = self._precision(best, pairs)
        for name, values in (("seed", (0.3, 0.4, 0.6, 0.7)), ("foreground", (0.35, 0.65))):
            for value in values:
                tried = best.model_copy(update={name: value})
                found = self._precision(tried, pairs)
                if found > score:
                    best, score = tried, found
        return best, score

    def _precision(self, objects: Objects, pairs: Sequence[tuple[Any, Any]]) -> float:
        found = [average_precision(self.decode(g, objects), r) for g, r in pairs]
        return float(np.nanmean(found)) if not np.isnan(found).all() else 0.0

    def _names(self, classes: int) -> list[str]:
        values = self.plan.values or (0, 1)
        return [self.plan.names.get(v, str(v)) for v in values][:classes]


def _least_size(references: Iterable[NDArray[Any]]) -> int:
    """Half the size that all but one object in a hundred reach."""
    sizes = np.concatenate([np.unique(r[r > 0], return_counts=True)[1] for r in references])
    return int(np.percentile(sizes, 1) / 2) if sizes.size else 0


def average_precision(found: NDArray[Any], reference: NDArray[Any], iou: float = 0.5) -> float:
    """Objects found right over all that were found or missed (TP / (TP + FP + FN))."""
    have, index_a = np.unique(found, return_inverse=True)
    want, index_b = np.unique(reference, return_inverse=True)
    count = int((have > 0).sum() + (want > 0).sum())
    if count == 0:
        return float("nan")
    first, second = index_a.ravel().astype(np.int64), index_b.ravel().astype(np.int64)
    pairs, both = np.unique(first * len(want) + second, return_counts=True)
    a, b = pairs // len(want), pairs % len(want)
    union = np.bincount(first)[a] + np.bincount(second)[b] - both
    hits = int(((both > iou * union) & (have[a] > 0) & (want[b] > 0)).sum())
    return hits / (count - hits)


def means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each score over the cases that have it, and of Dice, IoU and HD95 over the classes.

    A class that no case has scores 0, but has no distance.
    """
    names = sorted({k for s in scores for k in s})
    found = {}
    for name in names:
        values = [s[name] for s in scores if not np.isnan(s.get(name, np.nan))]
        if values or not name.startswith("hd95"):
            found[name] = float(np.mean(values)) if values else 0.0
    together = {}
    for score in ("dice", "iou", "hd95"):
        parts = [v for k, v in found.items() if k.startswith(f"{score} ")]
        if parts:
            together[score] = float(np.mean(parts))
    return {**together, **found}
