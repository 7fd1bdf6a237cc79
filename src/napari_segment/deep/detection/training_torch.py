"""Training of detectors: the common loop with their own losses and validation (torch)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from napari_segment.deep.checkpoint import Checkpoint
from napari_segment.deep.data.samples import Samples
from napari_segment.deep.detection.detect import DetectionSettings, Limits, detect
from napari_segment.deep.detection.mask_rcnn_torch import Detector
from napari_segment.deep.detection.merging import Detection, merge_detections
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.training.decoding_fit import (
    average_precision,
    matched,
    pooled_precision,
)
from napari_segment.deep.training.learner_torch import Learner
from napari_segment.deep.training.loop_torch import Fit
from napari_segment.step import Step, run

_SCORES = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


class DetectorLearner(Learner):
    """Learner of a network that computes its own loss."""

    def loss_of(self, image: Tensor, target: Tensor, maps: Tensor | None = None) -> Tensor:  # noqa: ARG002
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            loss: Tensor = self.wrapped(image, target)
        return loss


class DetectorFit(Fit):
    """Train a detector; takes the parameters of `Fit`."""

    learns = DetectorLearner

    def _validation(self, items: Sequence[Item], plan: Plan) -> DetectorValidation:
        learner = self.learner
        mixed = learner.dtype != torch.float32
        return DetectorValidation(items, self.batches.samples, plan, learner.device, mixed)

    def _labels(self, item: Item) -> NDArray[Any]:
        return self.validation.labels(self.network, item, Limits(score=0.5))

    def _fit_objects(self) -> Generator[Step, None, None]:
        if not self.group.leads:
            return
        from napari_segment.deep.checkpoint import WEIGHTS, load_tensors

        best = Checkpoint.load(self.blank.folder)
        self.network.load_state_dict(load_tensors(best.folder / WEIGHTS))
        objects, score = self.validation.fitted(self.network)
        self.scores = {**best.scores, "ap": score}
        best.model_copy(update={"objects": objects, "scores": self.scores}).save()
        yield Step(0, 0, f"objects from a score of {objects.seed}")


class DetectorValidation:
    """Average precision of the detections in whole cases.

    Parameters
    ----------
    items, samples, plan, device
        As of `napari_segment.deep.training.validation_torch.Validation`.
    mixed : bool
        Mixed precision.
    """

    def __init__(
        self,
        items: Sequence[Item],
        samples: Samples,
        plan: Plan,
        device: torch.device,
        mixed: bool,
    ) -> None:
        self.items, self.samples, self.plan = list(items), samples, plan
        self.device, self.mixed = device, mixed
        self._matched: list[tuple[int, int]] = []

    def __call__(self, network: Detector) -> list[dict[str, float]]:
        """Score every case: AP at IoU 0.5, and Dice of the foreground."""
        self._matched = []
        return [self._scores(network, item) for item in self.items]

    @property
    def pooled(self) -> float:
        """AP at IoU 0.5 over the objects of all cases that were last scored."""
        return pooled_precision(self._matched)

    def surfaces(self) -> list[dict[str, float]]:
        """Return nothing: objects are scored one by one."""
        return []

    def _scores(self, network: Detector, item: Item) -> dict[str, float]:
        score = self.plan.objects.seed if self.plan.objects is not None else 0.5
        labels = self.labels(network, item, Limits(score=score))
        reference = np.maximum(self.samples(item).target[0], 0)
        both = np.count_nonzero((labels > 0) & (reference > 0))
        total = np.count_nonzero(labels) + np.count_nonzero(reference)
        dice = 2 * both / total if total else float("nan")
        self._matched.append(matched(labels.astype(np.int64), reference))
        return {"dice object": dice, "ap": pooled_precision(self._matched[-1:])}

    def labels(self, network: Detector, item: Item, limits: Limits) -> NDArray[np.int64]:
        """Return the objects of a case, plane by plane of a stack."""
        planes = self._detections(network, item, limits.score)
        height, width = self.samples(item).shape[-2:]
        drawn, last = [], 0
        for detections in planes:
            merged = merge_detections(detections, (height, width), score=limits.score)
            labels = merged.labels.astype(np.int64)
            drawn.append(np.where(labels > 0, labels + last, 0))
            last += len(merged.scores)
        return drawn[0] if self.samples(item).image.ndim == 3 else np.stack(drawn)

    def _detections(self, network: Detector, item: Item, min_score: float) -> list[list[Detection]]:
        network.eval()
        image = self.samples(item).image
        planes = [image] if image.ndim == 3 else list(image.swapaxes(0, 1))
        settings: DetectionSettings = {
            "tile": self.plan.patch, "device": str(self.device),
            "precision": "bfloat16" if self.mixed and self.device.type == "cpu" else "auto",
        }  # fmt: skip
        return [run(detect(network, plane, min_score=min_score, **settings)) for plane in planes]

    def fitted(self, network: Detector) -> tuple[Objects, float]:
        """Fit the smallest score of a detection to the average precision on the cases."""
        cases = [
            (self._detections(network, i, _SCORES[0]), np.maximum(self.samples(i).target[0], 0))
            for i in self.items
        ]
        assert self.plan.objects is not None
        best = (self.plan.objects, -1.0)
        for score in _SCORES:
            precision = [_precision(planes, reference, score) for planes, reference in cases]
            if np.nanmean(precision) > best[1]:
                objects = self.plan.objects.model_copy(update={"seed": score})
                best = (objects, float(np.nanmean(precision)))
        return best

    def fit_seconds(self, validation: float) -> tuple[float, float]:
        """Estimate the seconds that `fitted` takes: as many as a validation."""
        return validation, 0.0


def _precision(planes: list[list[Detection]], reference: NDArray[Any], score: float) -> float:
    slices = [reference] if reference.ndim == 2 else list(reference)
    values = [
        average_precision(
            merge_detections(detections, plane.shape, score=score).labels.astype(np.int64), plane
        )
        for detections, plane in zip(planes, slices, strict=True)
    ]
    return float(np.nanmean(values)) if not np.all(np.isnan(values)) else float("nan")
