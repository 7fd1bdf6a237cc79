"""Validation: whole cases through the network, scored against their labels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from napari_segment.deep.data.batches import planes_as_channels
from napari_segment.deep.data.patches import Sample
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.data.targets import decode, decode_planes
from napari_segment.deep.inference import argmax, predict, probabilities
from napari_segment.deep.inference.decoding import Decode
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.slabs import slabs
from napari_segment.deep.training.decoding_fit import TRIES, fit, matched, pooled_precision
from napari_segment.results.compare.surface import hausdorff_95
from napari_segment.runtime import threads
from napari_segment.step import run

# The decoding of objects is chosen on about so many voxels, but not on fewer cases than these.
_FITTED_VOXELS, _FITTED_LEAST = 2**22, 8
_BACKGROUND = -100.0  # a logit


@dataclass(frozen=True)
class Counts:
    """Voxels of each class in one case: in both, in the prediction, in the reference."""

    both: NDArray[np.int64]
    predicted: NDArray[np.int64]
    reference: NDArray[np.int64]

    @classmethod
    def of(cls, predicted: NDArray[Any], reference: NDArray[Any], classes: int) -> Counts:
        """Count; voxels of a negative reference are left out."""
        table = np.zeros((classes, classes), np.int64)
        for rows in slabs(reference.shape):
            known = reference[rows] >= 0
            want, have = reference[rows][known].astype(np.int64), predicted[rows][known]
            pairs = np.bincount(want * classes + have, minlength=classes**2)
            table += pairs.reshape(classes, classes)
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


def outputs_of(
    network: Callable[[Tensor], Tensor],
    sample: Sample,
    plan: Plan,
    device: torch.device,
    decode: Decode,
) -> NDArray[Any]:
    """Return what is decoded of a whole sample, in the tiles in which `segment` will predict it."""

    def predicted(part: Sample) -> NDArray[Any]:
        settings: dict[str, Any] = {"tile": plan.patch, "overlap": 0.25, "device": str(device)}
        return np.asarray(run(predict(network, part.image, decode=decode, **settings)))

    if not plan.stacked:
        return predicted(sample)
    planes = [planes_as_channels(sample, z, plan.slices) for z in range(sample.shape[0])]
    outputs = [predicted(plane) for plane in planes]
    return np.stack(outputs, outputs[0].ndim - 2)


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
        self._decoding = 0.0  # seconds of decoding objects in the last validation
        self._matched: list[tuple[int, int]] = []
        self._segmented: dict[Item, NDArray[np.uint8 | np.uint16]] = {}

    @torch.no_grad()
    def __call__(self, network: nn.Module) -> list[dict[str, float]]:
        """Score every case: Dice and IoU of each class, accuracy, and AP at IoU 0.5 of objects."""
        self._decoding, self._matched = 0.0, []
        return [self._scores(network, item) for item in self.items]

    @property
    def pooled(self) -> float:
        """AP at IoU 0.5 over the objects of all cases that were last scored."""
        return pooled_precision(self._matched)

    def surfaces(self) -> list[dict[str, float]]:
        """HD95 of each class in the cases as they were last segmented, in units of the spacing."""
        return [self._distances(item, labels) for item, labels in self._segmented.items()]

    def _distances(self, item: Item, labels: NDArray[Any]) -> dict[str, float]:
        wanted = self._wanted(item)
        if isinstance(wanted, np.memmap):
            return {}  # its distances would not fit into memory either
        labels = np.where(wanted >= 0, labels, 0)
        spacing = self.plan.spacing or item.spacing
        return {
            f"hd95 {name}": hausdorff_95(labels == k, wanted == k, spacing)
            for k, name in enumerate(self._names(self._classes)) if k
        }  # fmt: skip

    @property
    def _classes(self) -> int:
        return len(self.plan.values) if self.plan.holds == "classes" else 2

    def _wanted(self, item: Item) -> NDArray[Any]:
        """Class indices of a case, or the foreground of its objects; negative is unlabelled."""
        target = self.samples(item).target[0]
        return target if self.plan.objects is None else np.minimum(target, 1)

    def logits(self, network: nn.Module, item: Item) -> NDArray[np.float32]:
        """Logits ``(K, *S)`` of one whole case."""
        return self._outputs(network, item, probabilities("none"))

    def segmented(self, network: nn.Module, item: Item) -> NDArray[Any]:
        """Class indices of one whole case, or the foreground of objects and of a mask."""
        if self.plan.objects is not None:
            return self.labels(self.logits(network, item))
        return self._outputs(network, item, argmax)

    def shown(self, network: nn.Module, item: Item) -> NDArray[Any]:
        """Return what a person is shown of one whole case: class indices, or objects."""
        if self.plan.objects is None:
            return self.segmented(network, item)
        return self.decode(self.logits(network, item), self.plan.objects)

    @torch.no_grad()
    def _outputs(self, network: nn.Module, item: Item, decode: Decode) -> NDArray[Any]:
        network.eval()

        def forward(image: Tensor) -> Tensor:
            enabled = self.dtype != torch.float32
            with torch.autocast(self.device.type, self.dtype, enabled=enabled):
                logits: Tensor = network(image)
            return logits.float()

        return outputs_of(forward, self.samples(item), self.plan, self.device, decode)

    def labels(self, logits: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Return the foreground of objects."""
        return np.asarray(logits[0] > 0, np.uint8)

    def _scores(self, network: nn.Module, item: Item) -> dict[str, float]:
        logits = None if self.plan.objects is None else self.logits(network, item)
        labels = self.segmented(network, item) if logits is None else self.labels(logits)
        self._segmented[item], classes = labels, self._classes
        counts = Counts.of(labels, self._wanted(item), classes)
        scores = {
            f"{score} {name}": float(value)
            for score, values in (("dice", counts.dice()), ("iou", counts.iou()))
            for name, value in zip(self._names(classes)[1:], values[1:], strict=True)
        }
        scores["accuracy"] = counts.accuracy()
        if self.plan.objects is not None and logits is not None:
            begun = monotonic()
            decoded = self.decode(self._annotated(logits, item), self.plan.objects)
            self._decoding += monotonic() - begun
            self._matched.append(matched(decoded, self.objects(item)))
            scores["ap"] = pooled_precision(self._matched[-1:])
        return scores

    def objects(self, item: Item) -> NDArray[Any]:
        """Reference objects on the network's grid, of each plane where it sees planes.

        Voxels without annotation are background, as they are in `_annotated` logits.
        """
        labels = np.maximum(np.asarray(self.samples(item).target[0]), 0)
        return of_planes(labels) if self.plan.stacked else labels

    def _annotated(self, logits: NDArray[np.float32], item: Item) -> NDArray[np.float32]:
        """Logits of objects, with background where voxels are without annotation."""
        unknown = np.asarray(self.samples(item).target[0]) < 0
        if unknown.any():
            logits = np.array(logits)
            logits[0][unknown] = _BACKGROUND
        return logits

    def decode(self, logits: NDArray[np.float32], objects: Objects) -> NDArray[np.int32]:
        """Objects in logits, plane by plane of a 2-D network over stacks."""
        probabilities = 1 / (1 + np.exp(-logits))
        return (decode_planes if self.plan.stacked else decode)(probabilities, objects)

    def fitted(
        self, network: nn.Module, is_late: Callable[[float], bool] = lambda _: False
    ) -> tuple[Objects, float]:
        """The decoding that gives the best average precision on the cases, and that precision."""
        assert self.plan.objects is not None
        known = [
            (self._annotated(self.logits(network, i), i), self.objects(i)) for i in self._some()
        ]
        return fit(self.plan.objects, known, self.decode, is_late)

    def fit_seconds(self, validation: float) -> tuple[float, float]:
        """Estimate the seconds that `fitted` takes: the network's, and those of decoding."""
        share = len(self._some()) / len(self.items)
        decoding = self._decoding * share
        return validation * share - decoding, TRIES * decoding / threads()

    def _some(self) -> list[Item]:
        """Cases over the whole list, as many as are decoded quickly."""
        voxels = np.mean([np.prod(i.shape) for i in self.items])
        count = max(_FITTED_LEAST, int(_FITTED_VOXELS / voxels))
        return list(self.items[:: max(1, -(-len(self.items) // count))])

    def _names(self, classes: int) -> list[str]:
        values = self.plan.values or (0, 1)
        return [self.plan.names.get(v, str(v)) for v in values][:classes]


def of_planes(labels: NDArray[Any]) -> NDArray[np.int64]:
    """Number the objects of a stack ``(Z, Y, X)`` anew in each plane."""
    shift = np.arange(len(labels), dtype=np.int64) * (int(labels.max(initial=0)) + 1)
    return np.where(labels > 0, labels + shift[:, None, None], 0)


def means(scores: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each score over the cases that have it, and of Dice, IoU and HD95 over the classes.

    A class that no case has scores 0, but has no distance.
    """
    names = sorted({k for s in scores for k in s})
    mean_of = {}
    for name in names:
        values = [s[name] for s in scores if not np.isnan(s.get(name, np.nan))]
        if values or not name.startswith("hd95"):
            mean_of[name] = float(np.mean(values)) if values else 0.0
    together = {}
    for score in ("dice", "iou", "hd95"):
        parts = [v for k, v in mean_of.items() if k.startswith(f"{score} ")]
        if parts:
            together[score] = float(np.mean(parts))
    return {**together, **mean_of}
