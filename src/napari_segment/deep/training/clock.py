"""Clock: how much of a training is done, where epochs count and where minutes do."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from statistics import median
from time import monotonic

from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.process_group_torch import Group
from napari_segment.deep.training.record.run_folder import Record

_EPOCHS = 100
_VALIDATION_SHARE = 0.1  # of the time, where minutes count
_FIT_SHARE = 0.04  # of the limit: at most so much is reserved to decode objects in several ways
_FIRST_SHARE = 0.1  # of the limit: the first call of a network may be far slower than the others
_WRITING = 1.0  # seconds for the last curves and the checkpoint
_MARGIN = 1.1  # of validations, whose seconds differ


class Clock:
    """The time of one training, also over the runs before it was resumed.

    Where minutes count, updates go on until what is left is what the last validation takes, as it
    was measured on this machine under its present load; the schedule reaches its end then.

    Parameters
    ----------
    settings : TrainSettings
    plan : Plan
        Decided from the data.
    group : Group
        The processes; they follow the clock of the first.
    record : Record
        Knows how long validations took.
    begun : float
        When the command began, on the clock of `now`.
    now : callable
        Returns seconds.
    """

    def __init__(
        self, settings: TrainSettings, plan: Plan, group: Group, record: Record, begun: float,
        now: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self.steps, self.group, self.record, self.now = plan.steps, group, record, now
        self.begun, self.spent, self.validated = begun, 0.0, 0.0
        self.limit = 0.0 if settings.minutes == "none" else 60 * settings.minutes
        # Beyond reach where only minutes count.
        automatic = 10**9 if self.limit else _EPOCHS
        self.epochs = automatic if settings.epochs == "auto" else settings.epochs
        self.first_validation = 0.0  # seconds, estimated before there was one
        self.fit_once, self.fit_decoding = 0.0, 0.0  # seconds of fitting the decoding of objects
        self.test = 0.0  # seconds of scoring the cases that choose nothing
        self._updates: deque[float] = deque(maxlen=5)  # seconds of the last ones
        self._updated, self._furthest, self._over = float("inf"), 0.0, False

    @property
    def elapsed(self) -> float:
        """Seconds since the command began, with those of the runs before it was resumed."""
        return self.group.from_leader(self._elapsed())

    @property
    def own_elapsed(self) -> float:
        """The same by the clock of this process alone."""
        return self._elapsed()

    def progress(self, epoch: int, step: int = 0) -> float:
        """Return how much of the training is done, from 0 to 1; the schedule follows it."""
        done = (epoch * self.steps + step) / (self.epochs * self.steps)
        if not self.limit:
            return done
        duration = max(self._time_for_updates() - self._update_seconds(), 1e-9)
        self._furthest = min(max(done, self.elapsed / duration, self._furthest), 1.0)
        return self._furthest

    def is_over(self, epoch: int, step: int = 0) -> bool:
        """Whether no further update is due; to be asked before each, as the time is taken."""
        if not self.limit:
            return epoch >= self.epochs
        elapsed = self.elapsed
        if step > 0:
            self._updates.append(elapsed - self._updated)
        self._updated = elapsed
        late = elapsed + self._update_seconds() > self._time_for_updates()
        self._over = self._over or late or epoch >= self.epochs
        return self._over

    def is_late(self, seconds: float = 0.0) -> bool:
        """Return whether this process has no time for so many more seconds than writing takes."""
        return bool(self.limit) and self._elapsed() + seconds > self.limit - _WRITING

    def total(self, taken: int, done: float) -> int:
        """Updates in all: those planned, or as many as the time seems to allow."""
        return round(taken / max(done, taken / 10**9)) if self.limit else self.epochs * self.steps

    def has_time_to_validate(self, epoch: int) -> bool:
        """Always, where epochs count; where minutes do, as long as it takes few of them."""
        if not self.limit or self.is_over(epoch):
            return True
        seconds, elapsed = self._validation_seconds(), self.elapsed
        if elapsed + seconds + self._update_seconds() > self._time_for_updates():
            return False  # the last one comes soon
        return self.validated == 0 or self.validated + seconds < _VALIDATION_SHARE * elapsed

    def _elapsed(self) -> float:
        return self.spent + self.now() - self.begun

    def _time_for_updates(self) -> float:
        """Seconds from the beginning to the last update; the rest validates, fits and writes."""
        decoding = min(self.fit_decoding, _FIT_SHARE * self.limit)
        scoring = self._validation_seconds() + self.fit_once + self.test
        reserve = _MARGIN * scoring + decoding + _WRITING
        return self.limit - min(reserve, self.limit / 2)

    def _validation_seconds(self) -> float:
        known = [r["validation seconds"] for r in self.record.rows if "validation seconds" in r]
        return max(known[-3:], default=min(self.first_validation, _FIRST_SHARE * self.limit))

    def _update_seconds(self) -> float:
        return median(self._updates) if self._updates else 0.0
