"""Fit: the loop over epochs and steps, and the state that goes through it."""

from __future__ import annotations

from collections.abc import Generator
from time import monotonic
from typing import Any

import numpy as np
import torch
from torch import Tensor

from napari_segment.deep import losses, models
from napari_segment.deep.checkpoint import STATE, Checkpoint
from napari_segment.deep.data.batches import Batch, Batches, ahead
from napari_segment.deep.device import is_out_of_memory, precision, release_memory
from napari_segment.deep.fingerprint import Plan
from napari_segment.deep.train._group import Group
from napari_segment.deep.train._optim import Average, one_hot, optimizer, rate
from napari_segment.deep.train._state import load_state, save_state, start_from
from napari_segment.deep.train._validate import Validation, means
from napari_segment.deep.train.record import Record
from napari_segment.deep.train.run import LAST
from napari_segment.errors import SegmentError
from napari_segment.step import Step

_EPOCHS = 100
_SKIPS = 10  # updates left out in a row from which something is wrong
_RETREATS = 5  # how often a training goes back from NaN before it gives up
_VALIDATION_SHARE = 0.1  # of the time, where minutes count
_NUMBERS = ("epoch", "factor", "best", "best_epoch", "scores", "parts", "validated", "checked")
_PLATEAU = 10  # epochs without a better score before the rate is cut to a third


class Fit:
    """One network on its way from blank to trained.

    Parameters
    ----------
    blank : Checkpoint
        What the checkpoint will be, without weights and scores.
    settings : object
        Of `train`.
    plan : Plan
        Decided from the data.
    batches : Batches
        What it learns from.
    validation : sequence of Item
        What it is scored on.
    group : Group
        The processes that train together.
    record : Record
        The run folder.
    begun : float
        When the command began, for the time budget.
    """

    def __init__(
        self, blank: Checkpoint, settings: Any, plan: Plan, batches: Batches,
        validation: Any, group: Group, record: Record, begun: float,
    ) -> None:  # fmt: skip
        self.blank, self.settings, self.plan = blank, settings, plan
        self.batches, self.group, self.record = batches, group, record
        self.device = group.device
        self.dtype = precision(self.device, settings.precision)
        self.memory_format = _memory_format(plan.ndim, self.device, self.dtype)
        torch.manual_seed(settings.seed)
        network = models.build(blank.model, plan.channels_in, plan.channels_out, plan.ndim)
        if settings.start:
            start_from(network, settings.start)
        self.network = network.to(self.device, memory_format=self.memory_format)
        self.wrapped = group.wrap(self.network)
        self.average = Average(self.network, settings.ema)
        self.optimizer = optimizer(
            settings.optimizer, self.network, settings.lr, settings.weight_decay
        )
        self.rates = [g["lr"] for g in self.optimizer.param_groups]
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=self.dtype == torch.float16)
        chosen = losses.make(settings.loss)
        self.loss = losses.multilabel(chosen) if plan.holds == "objects" else chosen
        self.validation = Validation(
            list(validation)[group.rank :: group.size], batches.samples, plan, self.device,
            self.dtype,
        )  # fmt: skip
        self.epoch, self.factor, self.retreats = 0, 1.0, 0
        self.best, self.best_epoch = -1.0, -1
        self.scores: dict[str, float] = {}
        self.parts, self.skipped = settings.accumulate, 0
        self.begun, self.spent, self.validated = begun, 0.0, 0.0
        self.checked = 0  # the last epoch that was validated

    # ---- time and progress ----

    @property
    def epochs(self) -> int:
        """Epochs at most; beyond reach where only minutes count."""
        return self.settings.epochs or (10**9 if self.settings.minutes else _EPOCHS)

    @property
    def elapsed(self) -> float:
        """Seconds since the command began, with those of the runs before it was resumed."""
        return self.group.from_leader(self.spent + monotonic() - self.begun)

    def progress(self, step: int) -> float:
        """How much of the training is done, from 0 to 1; the schedule follows it."""
        done = (self.epoch * self.plan.steps + step) / (self.epochs * self.plan.steps)
        if not self.settings.minutes:
            return done
        return max(done, self.elapsed / (60 * self.settings.minutes - self._last_words()))

    def _last_words(self) -> float:
        """Seconds to keep for the last validation and for writing."""
        rows = [r["validation seconds"] for r in self.record.rows if "validation seconds" in r]
        # The thresholds of objects are fitted by decoding the cases seven times.
        longest = max(rows, default=0.0) * (8 if self.plan.objects else 1.2) + 2
        return min(longest, 30 * self.settings.minutes)

    # ---- the loop ----

    def run(self, resumed: bool) -> Generator[Step, None, Checkpoint]:
        """Train to the end of the epochs, of the time, or of patience."""
        if resumed:
            self._load()
            yield Step(0, 0, f"resumed after epoch {self.epoch}")
        else:
            yield Step(0, 0, "before training", preview=self._preview())
        while self.epoch < self.epochs and self.progress(0) < 1 and not self._impatient():
            yield from self._one_epoch()
        yield from self._finish()
        self.group.wait()
        return Checkpoint.load(self.blank.folder)

    def _one_epoch(self) -> Generator[Step, None, None]:
        plan, begun, values = self.plan, monotonic(), []
        if self.epoch == self.network.frozen_epochs:
            self.network.freeze(False)
        if hasattr(self.loss, "progress"):
            self.loss.progress(self.progress(0))
        steps = ahead(self._batch, range(plan.steps), workers=self.settings.workers, depth=4)
        try:
            for step, batch in enumerate(steps):
                done = self.progress(step)
                if done >= 1:
                    break
                factor = self._set_rate(done)
                value = yield from self._update(batch, step)
                if not np.isfinite(value):
                    yield from self._retreat()
                    return
                values.append(value)
                yield Step(
                    self.epoch * plan.steps + step + 1, self._total(done, step),
                    f"epoch {self.epoch + 1}", {"loss": value, "lr": self.rates[0] * factor},
                )  # fmt: skip
        finally:
            steps.close()
        if values:
            seconds = monotonic() - begun
            self.epoch += 1
            row = {"epoch": self.epoch, "loss": float(np.mean(values)), "seconds": seconds}
            yield from self._after_epoch(row)

    def _batch(self, step: int) -> Batch:
        return self.batches(self.epoch, step)

    def _total(self, done: float, step: int) -> int:
        taken = self.epoch * self.plan.steps + step + 1
        return self.epochs * self.plan.steps if not self.settings.minutes else round(
            taken / max(done, taken / 10**9)
        )  # fmt: skip

    def _set_rate(self, done: float) -> float:
        factor = self.factor * rate(self.settings.schedule, done, self.settings.warmup)
        for group, highest in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = highest * factor
        return factor

    def _update(self, batch: Batch, step: int) -> Generator[Step, None, float]:
        """One update; where memory runs out, the same in smaller parts."""
        # Chance inside the network (dropout) is a function of the step: nothing of it is kept.
        torch.manual_seed((self.settings.seed * 2_147_483_629 + self.epoch * 65_537 + step) % 2**63)
        self.network.train()
        while True:
            try:
                return self._parted_update(batch)
            except RuntimeError as error:
                alone = self.group.size == 1  # others would wait for this one's gradients
                if not (alone and is_out_of_memory(error) and self.parts < len(batch[0])):
                    raise
            self.parts = min(self.parts * 2, len(batch[0]))
            release_memory(self.device)
            yield Step(
                0, 0, "out of memory: going on with "
                f"{-(-len(batch[0]) // self.parts)} patches at once, {self.parts} for an update",
            )  # fmt: skip

    def _parted_update(self, batch: Batch) -> float:
        self.optimizer.zero_grad(set_to_none=True)
        pieces = [np.array_split(a, self.parts) for a in batch]
        total = 0.0
        for image, target in zip(*pieces, strict=True):
            share = len(image) / len(batch[0])
            value = self._loss(self._moved(image), torch.from_numpy(target).to(self.device))
            self.scaler.scale(value * share).backward()
            total += float(value.detach()) * share
        total = self.group.mean(total)
        if not np.isfinite(total):
            return total
        self.scaler.unscale_(self.optimizer)
        parameters = [p for p in self.network.parameters() if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(parameters, self.settings.clip or float("inf"))
        # Reduced precision overflows now and then: such an update is left out, as GradScaler does.
        self.skipped = 0 if bool(norm.isfinite()) else self.skipped + 1
        if self.skipped and not self.scaler.is_enabled():
            return total if self.skipped < _SKIPS else float("nan")
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.average.update(self.network)
        return total

    def _loss(self, image: Tensor, target: Tensor) -> Tensor:
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            outputs = self.wrapped(image)
        wanted = one_hot(target, self.plan.channels_out)
        value: Tensor = self.network.supervise(outputs, wanted, self.loss)
        return value

    def _moved(self, image: np.ndarray[Any, Any]) -> Tensor:
        return torch.from_numpy(image).to(self.device, memory_format=self.memory_format)

    # ---- between epochs ----

    def _after_epoch(self, row: dict[str, float]) -> Generator[Step, None, None]:
        preview = None
        if self._should_validate():
            begun = monotonic()
            found = self._validate()
            seconds = self.group.from_leader(monotonic() - begun)
            row |= {**found, "validation seconds": seconds}
            self.validated, self.checked = self.validated + seconds, self.epoch
            self._keep_if_best(found)
            preview = self._preview()
        row["lr"] = self.optimizer.param_groups[0]["lr"]
        row["elapsed"] = self.elapsed
        self.record.epoch(row, write=self.group.leads)
        if self.group.leads:
            self._save(row["elapsed"])
        done = self.epoch * self.plan.steps
        numbers = {k: v for k, v in row.items() if "seconds" not in k}
        total = self._total(self.progress(0), -1)
        yield Step(done, max(total, done), _sentence(row), numbers, preview)

    def _should_validate(self) -> bool:
        """Always, where epochs count; where minutes do, as long as it takes few of them."""
        if not self.settings.minutes or self.progress(0) >= 1 or self.validated == 0:
            return True
        longest = max(r.get("validation seconds", 0.0) for r in self.record.rows)
        return self.validated + longest < _VALIDATION_SHARE * self.elapsed

    def _validate(self) -> dict[str, float]:
        with self._averaged():
            return means(self.group.gather(self.validation(self.network)))

    def _keep_if_best(self, found: dict[str, float]) -> None:
        score = found.get("ap", found["dice"])
        if score > self.best:
            self.best, self.best_epoch, self.scores = score, self.epoch, found
            if self.group.leads:
                self._checkpoint().save(self.average.weights)
        elif self.settings.schedule == "plateau" and self._since_best() % _PLATEAU == 0:
            self.factor /= 3

    def _since_best(self) -> int:
        return self.epoch - self.best_epoch

    def _impatient(self) -> bool:
        patience = self.settings.patience
        return bool(patience and self.best_epoch >= 0 and self._since_best() >= patience)

    def _retreat(self) -> Generator[Step, None, None]:
        """Go back to the last epoch's end and go on more slowly."""
        self.retreats += 1
        factor = self.factor * 0.5
        if self.retreats > _RETREATS:
            raise SegmentError(
                f"The loss was not a number for the {self.retreats}th time. Try a smaller "
                "learning rate (lr), precision='float32', or another loss."
            )
        if (self.blank.folder / STATE / LAST).exists():
            self._load()
        else:
            torch.manual_seed(self.settings.seed + self.retreats)
            fresh = models.build(
                self.blank.model, self.plan.channels_in, self.plan.channels_out, self.plan.ndim
            )
            self.network.load_state_dict(fresh.state_dict())
            self.optimizer.state.clear()
            self.average = Average(self.network, self.settings.ema)
        self.factor, self.skipped = factor, 0
        yield Step(0, 0, f"the loss was not a number: back to epoch {self.epoch}, at half the rate")

    def _finish(self) -> Generator[Step, None, None]:
        if self.checked < self.epoch:  # time ran out before the last epoch was scored
            self._keep_if_best(self._validate())
        if self.best_epoch < 0 and self.group.leads:  # stopped before the first epoch ended
            self._checkpoint().save(self.average.weights)
        if self.plan.objects is not None:
            yield Step(0, 0, "fitting the thresholds of the objects")
            yield from self._fit_objects()
        if self.group.leads:
            self.record.draw()
        words = ", ".join(f"{k} {v:.3f}" for k, v in self.scores.items())
        yield Step(1, 1, f"best after epoch {max(self.best_epoch, 0)}: {words}", self.scores)

    def _fit_objects(self) -> Generator[Step, None, None]:
        if not self.group.leads:
            return
        best = Checkpoint.load(self.blank.folder)
        self.network.load_state_dict(_weights(best))
        objects, score = self.validation.fitted(self.network)
        self.scores = {**best.scores, "ap": score}
        best.model_copy(update={"objects": objects, "scores": self.scores}).save()
        yield Step(0, 0, f"objects from foreground {objects.foreground} and seed {objects.seed}")

    # ---- what is kept ----

    def _checkpoint(self) -> Checkpoint:
        return self.blank.model_copy(update={"scores": self.scores})

    def _averaged(self) -> Any:
        return _Borrowed(self.network, self.average.weights)

    def _preview(self) -> dict[str, Any] | None:
        """The middle plane of the first validation case, as it is and as the network sees it."""
        if not self.group.leads or not self.validation.items:
            return None
        item = self.validation.items[0]
        sample = self.batches.samples(item)
        with self._averaged():
            labels = self.validation.labels(self.validation.logits(self.network, item))
        planes = {"image": sample.image[0], "reference": sample.target[0], "prediction": labels}
        if labels.ndim == 3:
            planes = {k: v[v.shape[0] // 2] for k, v in planes.items()}
        self.record.picture(self.epoch, planes)
        return planes

    def _save(self, spent: float) -> None:
        numbers = {
            "epoch": self.epoch, "factor": self.factor, "retreats": self.retreats,
            "best": self.best, "best_epoch": self.best_epoch, "scores": self.scores,
            "parts": self.parts, "spent": spent, "validated": self.validated,
            "checked": self.checked, "rows": self.record.rows,
        }  # fmt: skip
        parts = {
            "network": self.network.state_dict(), "optimizer": self.optimizer.state_dict(),
            "average": self.average.state(), "scaler": self.scaler.state_dict(),
        }  # fmt: skip
        save_state(self.blank.folder / STATE / LAST, {**parts, "numbers": numbers})

    def _load(self) -> None:
        state = load_state(self.blank.folder / STATE / LAST)
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average.load(state["average"])
        self.scaler.load_state_dict(state["scaler"])
        numbers = state["numbers"]
        for name in _NUMBERS:
            setattr(self, name, numbers[name])
        self.retreats = max(self.retreats, numbers["retreats"])
        if not self.record.rows:  # a new process
            self.record.rows, self.spent = list(numbers["rows"]), numbers["spent"]


class _Borrowed:
    """The network with other weights, for a while."""

    def __init__(self, network: Any, weights: dict[str, Tensor]) -> None:
        self.network, self.weights = network, weights

    def __enter__(self) -> None:
        self.own = {k: v.clone() for k, v in self.network.state_dict().items()}
        self.network.load_state_dict(self.weights)

    def __exit__(self, *_: object) -> None:
        self.network.load_state_dict(self.own)


def _weights(checkpoint: Checkpoint) -> dict[str, Tensor]:
    from napari_segment.deep.checkpoint import WEIGHTS, load_tensors

    return load_tensors(checkpoint.folder / WEIGHTS)


def _memory_format(ndim: int, device: torch.device, dtype: torch.dtype) -> torch.memory_format:
    """Channels last where reduced precision is fast in it: convolutions need no reordering."""
    if dtype == torch.float32 or device.type not in ("cpu", "cuda"):
        return torch.contiguous_format
    return torch.channels_last if ndim == 2 else torch.channels_last_3d


def _sentence(row: dict[str, float]) -> str:
    scores = ", ".join(
        f"{k} {v:.3f}" for k, v in row.items() if k.startswith(("loss", "dice", "ap"))
    )
    return f"epoch {row['epoch']:g}: {scores}"
