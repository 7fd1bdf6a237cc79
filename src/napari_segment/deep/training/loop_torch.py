"""Fit: the loop over epochs and steps, and the state that goes through it."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Sequence
from time import monotonic
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_segment.deep.card import Measured
from napari_segment.deep.checkpoint import STATE, WEIGHTS, Checkpoint, load_tensors
from napari_segment.deep.data.augment.patch_torch import finish
from napari_segment.deep.data.batches import Batches, ahead
from napari_segment.deep.data.division import Division
from napari_segment.deep.device import augments
from napari_segment.deep.planning.fingerprint import Item
from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.clock import Clock
from napari_segment.deep.training.learner_torch import Learner
from napari_segment.deep.training.optimisation.lr_range_test_torch import search_rate
from napari_segment.deep.training.optimisation.optimizers_torch import rate
from napari_segment.deep.training.process_group_torch import Group
from napari_segment.deep.training.record.card import on_test
from napari_segment.deep.training.record.run_folder import LAST, Record
from napari_segment.deep.training.state_torch import load_state, save_state
from napari_segment.deep.training.validation_torch import Validation, means
from napari_segment.errors import SegmentError
from napari_segment.step import Step

_RETREATS = 5  # how often a training goes back from NaN before it gives up
_NUMBERS = ("epoch", "factor", "best", "best_epoch", "scores", "checked")
_SEARCH = 2**31  # an epoch that no training reaches, whose patches are those of the range test
_PLATEAU = 10  # epochs without a better score before the rate is cut to a third


class Fit:
    """One network on its way from blank to trained.

    Parameters
    ----------
    blank : Checkpoint
        What the checkpoint will be, without weights and scores.
    settings : TrainSettings
    plan : Plan
        Decided from the data.
    batches : Batches
        What it learns from.
    division : Division
        The cases; those of the validation choose the network, those of the test score it.
    group : Group
        The processes that train together.
    record : Record
        The run folder.
    begun : float
        When the command began, for the time budget.
    """

    learns = Learner

    def __init__(
        self, blank: Checkpoint, settings: TrainSettings, plan: Plan, batches: Batches,
        division: Division, group: Group, record: Record, begun: float,
    ) -> None:  # fmt: skip
        self.blank, self.settings, self.plan = blank, settings, plan
        self.batches, self.group, self.record = batches, group, record
        self.division = division
        self.learner = self.learns(blank, settings, plan, group)
        self.network = self.learner.network
        # Maps of objects are drawn on the CPU, from patches that are finished.
        self.late = plan.objects is None and augments(self.learner.device, plan.ndim)
        self.clock = Clock(settings, plan, group, record, begun)
        known = division.validation or division.training
        self.validation = self._validation(known[group.rank :: group.size], plan)
        self.epoch, self.factor, self.retreats = 0, 1.0, 0
        self.best, self.best_epoch = -1.0, -1
        self.scores: dict[str, float] = {}
        self.checked = 0  # the last epoch that was validated

    def _validation(self, items: Sequence[Item], plan: Plan) -> Any:
        learner = self.learner
        return Validation(items, self.batches.samples, plan, learner.device, learner.dtype)

    # ---- the loop ----

    def run(self, resumed: bool) -> Generator[Step, None, Checkpoint]:
        """Train to the end of the epochs, of the time, or of patience."""
        if resumed:
            self._load()
            yield Step(0, 0, f"resumed after epoch {self.epoch}")
        else:
            if self.settings.find_lr:
                yield from self._find_rate()
            yield Step(0, 0, "before training", preview=self._first_preview())
        while not (self._at_the_end() or self._impatient()):
            yield from self._one_epoch()
        yield from self._finish()
        self.group.wait()
        return Checkpoint.load(self.blank.folder)

    def _find_rate(self) -> Generator[Step, None, None]:
        """Decide the highest learning rate by a range test, and keep it with its reason."""
        steps = self.plan.steps
        curve = yield from search_rate(
            self.learner, lambda i: self.batches(_SEARCH + i // steps, i % steps), self._seed(0)
        )
        if curve.chosen:
            self.learner.use_rate(curve.chosen)
        reasons = {**self.plan.reasons, "lr": curve.reason}
        self.plan = self.plan.model_copy(update={"lr": curve.chosen, "reasons": reasons})
        self.blank = self.blank.model_copy(update={"reasons": reasons})
        if self.group.leads:
            self.record.decided(self.plan.model_dump_json(indent=2))
            self.record.rates(curve.rates, curve.losses, curve.chosen)
        yield Step(0, 0, f"lr: {self.learner.rates[0]:.3g}, {curve.reason}")

    def _at_the_end(self) -> bool:
        return self.clock.is_over(self.epoch)

    def _one_epoch(self) -> Generator[Step, None, None]:
        begun, values = monotonic(), []
        self._begin_epoch()
        steps = ahead(self._made, range(self.plan.steps), workers=self.settings.workers, depth=4)
        try:
            for step, made in enumerate(steps):
                if self.clock.is_over(self.epoch, step):
                    break
                done = self.clock.progress(self.epoch, step)
                lr = self.learner.set_rate(
                    self.factor * rate(self.settings.schedule, done, self.settings.warmup)
                )
                batch = finish(made, self.learner.device) if self.late else made
                value = yield from self.learner.update(batch, self._seed(step))
                if not np.isfinite(value):
                    yield from self._retreat()
                    return
                values.append(value)
                taken = self.epoch * self.plan.steps + step + 1
                yield Step(
                    taken, self.clock.total(taken, done), f"epoch {self.epoch + 1}",
                    {"loss": value, "lr": lr},
                )  # fmt: skip
        finally:
            steps.close()
        if values:
            self.epoch += 1
            row = {"loss": float(np.mean(values)), "seconds": monotonic() - begun}
            yield from self._after_epoch({"epoch": self.epoch, **row})

    def _first_preview(self) -> dict[str, Any] | None:
        """Show one case, and estimate by it how long a validation takes."""
        begun = self.clock.now()
        preview = self._preview()
        seconds = self.clock.now() - begun
        self.clock.first_validation = self.group.from_leader(seconds * len(self.validation.items))
        self._estimate_test(seconds)
        return preview

    def _begin_epoch(self) -> None:
        if self.epoch == self.network.frozen_epochs:
            self.network.freeze(False)
        if hasattr(self.learner.loss, "progress"):
            self.learner.loss.progress(self.clock.progress(self.epoch))

    def _made(self, step: int) -> Any:
        """Return a batch, or what it will be computed from on the device."""
        made = self.batches.pieces if self.late else self.batches
        return made(self.epoch, step)

    def _seed(self, step: int) -> int:
        return int(self.settings.seed * 2_147_483_629 + self.epoch * 65_537 + step)

    # ---- between epochs ----

    def _after_epoch(self, row: dict[str, float]) -> Generator[Step, None, None]:
        preview = None
        if self.clock.has_time_to_validate(self.epoch):
            begun = self.clock.now()
            scores = self._scored()
            preview = self._preview()
            seconds = self.group.from_leader(self.clock.now() - begun)
            row |= {**scores, "validation seconds": seconds}
            self.clock.validated, self.checked = self.clock.validated + seconds, self.epoch
            self._estimate_fit(seconds)
            self._estimate_test(seconds / max(len(self.validation.items), 1))
        row["lr"] = self.learner.optimizer.param_groups[0]["lr"]
        row["elapsed"] = self.clock.elapsed
        self.record.epoch(row, write=self.group.leads)
        if self.group.leads:
            self._save(row["elapsed"])
        done = self.epoch * self.plan.steps
        numbers = {k: v for k, v in row.items() if "seconds" not in k}
        total = self.clock.total(done, self.clock.progress(self.epoch))
        yield Step(done, max(total, done), _sentence(row), numbers, preview)

    def _estimate_fit(self, seconds: float) -> None:
        """Let the clock know how long fitting the decoding of objects will take."""
        if self.plan.objects is not None and self.validation.items:
            once, decoding = self.validation.fit_seconds(seconds)
            self.clock.fit_once = self.group.from_leader(once)
            self.clock.fit_decoding = self.group.from_leader(decoding)

    def _estimate_test(self, seconds: float) -> None:
        """Let the clock know how long scoring the cases of the test will take, from one case's."""
        self.clock.test = self.group.from_leader(seconds) * len(self.division.test)

    def _validate(self) -> dict[str, float]:
        with self.learner.average.lent_to(self.network):
            return means(self.group.gather(self.validation(self.network)))

    def _scored(self) -> dict[str, float]:
        """Validate, and keep the network if it is the best so far.

        Distances between surfaces take time, so only the best and the last network get them.
        """
        scores = self._validate()
        score = scores.get("ap", scores.get("dice", 0.0))
        if score > self.best or self._at_the_end():
            scores |= means(self.group.gather(self.validation.surfaces()))
        if score > self.best:
            self.best, self.best_epoch, self.scores = score, self.epoch, scores
            self._keep()
        elif self.settings.schedule == "plateau" and self._since_best() % _PLATEAU == 0:
            self.factor /= 3
        return scores

    def _since_best(self) -> int:
        return self.epoch - self.best_epoch

    def _impatient(self) -> bool:
        patience = self.settings.patience
        return patience != "none" and self.best_epoch >= 0 and self._since_best() >= patience

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
            self.learner.begin_again(self.settings.seed + self.retreats)
        self.factor, self.learner.skipped = factor, 0
        yield Step(0, 0, f"the loss was not a number: back to epoch {self.epoch}, at half the rate")

    def _finish(self) -> Generator[Step, None, None]:
        if self.checked < self.epoch:  # time ran out before the last epoch was scored
            self._scored()
        if self.group.leads:
            self.record.draw()
        if self.best_epoch < 0:
            self._keep()
            yield Step(1, 1, self._untrained())
            return
        if self.plan.objects is not None:
            yield Step(0, 0, "fitting the thresholds of the objects")
            yield from self._fit_objects()
        yield from self._test()
        yield Step(1, 1, f"best after epoch {self.best_epoch}", self.scores)

    def _test(self) -> Generator[Step, None, None]:
        """Score the network that is kept on the cases that chose nothing; complete its card."""
        if not self.group.leads:
            return
        test, measured = self.division.test, None
        if test and self.clock.is_late():
            yield Step(0, 0, f"no time was left to score the {len(test)} cases of the test")
        elif test:
            yield Step(0, 0, "scoring the cases of the test")
            measured = on_test(test, self._tested(test))
        for scores in self._write_card(measured):
            yield Step(0, 0, str(scores))

    def _tested(self, test: Sequence[Item]) -> dict[str, float]:
        best = Checkpoint.load(self.blank.folder)
        self.network.load_state_dict(load_tensors(best.folder / WEIGHTS))
        judge = self._validation(test, self.plan.model_copy(update={"objects": best.objects}))
        scores = means(judge(self.network)) | means(judge.surfaces())
        return scores | ({"ap pooled": judge.pooled} if self.plan.objects is not None else {})

    def _write_card(self, test: Measured | None = None) -> tuple[Measured, ...]:
        if self.record.card is None:
            return ()
        seconds = self.clock.own_elapsed
        return self.record.card.write(epochs=self.epoch, seconds=seconds, test=test).scores

    def _untrained(self) -> str:
        """Say that the network is still what it was before training; as a warning too."""
        message = (
            f"The {self.clock.limit / 60:g} minutes were over before the first epoch: the network "
            f"in {self.blank.folder} has learnt nothing. Give more minutes."
        )
        if self.group.leads:
            warnings.warn(message, stacklevel=2)
        return message

    def _fit_objects(self) -> Generator[Step, None, None]:
        if not self.group.leads:
            return
        best = Checkpoint.load(self.blank.folder)
        self.network.load_state_dict(load_tensors(best.folder / WEIGHTS))
        objects, score = self.validation.fitted(self.network, self.clock.is_late)
        self.scores = {**best.scores, "ap": score}
        best.model_copy(update={"objects": objects, "scores": self.scores}).save()
        yield Step(0, 0, f"objects from foreground {objects.foreground} and seed {objects.seed}")

    # ---- what is saved ----

    def _keep(self) -> None:
        if self.group.leads:
            checkpoint = self.blank.model_copy(update={"scores": self.scores})
            checkpoint.save(self.learner.average.weights)
            self._write_card()

    def _preview(self) -> dict[str, Any] | None:
        """The middle plane of the first validation case, as it is and as the network sees it."""
        if not self.group.leads or not self.validation.items:
            return None
        item = self.validation.items[0]
        sample = self.batches.samples(item)
        with self.learner.average.lent_to(self.network):
            labels = self._labels(item)
        planes = {"image": sample.image[0], "reference": sample.target[0], "prediction": labels}
        if labels.ndim == 3:
            planes = {k: v[v.shape[0] // 2] for k, v in planes.items()}
        self.record.picture(self.epoch, planes)
        return planes

    def _labels(self, item: Item) -> NDArray[Any]:
        """Return what the network says of one whole case."""
        return self.validation.shown(self.network, item)

    def _save(self, spent: float) -> None:
        numbers = {name: getattr(self, name) for name in _NUMBERS}
        numbers |= {"retreats": self.retreats, "parts": self.learner.parts, "spent": spent}
        numbers |= {"validated": self.clock.validated, "rows": self.record.rows}
        state = {**self.learner.state(), "numbers": numbers}
        save_state(self.blank.folder / STATE / LAST, state)

    def _load(self) -> None:
        state = load_state(self.blank.folder / STATE / LAST)
        self.learner.load(state)
        numbers = state["numbers"]
        for name in _NUMBERS:
            setattr(self, name, numbers[name])
        self.learner.parts, self.clock.validated = numbers["parts"], numbers["validated"]
        self.retreats = max(self.retreats, numbers["retreats"])
        if not self.record.rows:  # a new process
            self.record.rows, self.clock.spent = list(numbers["rows"]), numbers["spent"]


def _sentence(row: dict[str, float]) -> str:
    scores = ", ".join(
        f"{k} {v:.3f}" for k, v in row.items() if k.startswith(("loss", "dice", "ap"))
    )
    return f"epoch {row['epoch']:g}: {scores}"
