"""Clock: how much of a training is done, where epochs count and where minutes do."""

from __future__ import annotations

from time import monotonic

from napari_segment.deep.planning.plan import Plan
from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.process_group_torch import Group
from napari_segment.deep.training.record.run_folder import Record

_EPOCHS = 100
_VALIDATION_SHARE = 0.1  # of the time, where minutes count


class Clock:
    """The time of one training, also over the runs before it was resumed.

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
        When the command began (`time.monotonic`).
    """

    def __init__(
        self, settings: TrainSettings, plan: Plan, group: Group, record: Record, begun: float
    ) -> None:
        self.steps, self.group, self.record = plan.steps, group, record
        self.begun, self.spent, self.validated = begun, 0.0, 0.0
        self.limit = 0.0 if settings.minutes == "none" else 60 * settings.minutes
        # Beyond reach where only minutes count.
        automatic = 10**9 if self.limit else _EPOCHS
        self.epochs = automatic if settings.epochs == "auto" else settings.epochs
        # The thresholds of objects are fitted at the end, by decoding the cases many times.
        self._validations_reserved = 16 if plan.objects else 1.2

    @property
    def elapsed(self) -> float:
        """Seconds since the command began, with those of the runs before it was resumed."""
        return self.group.from_leader(self.spent + monotonic() - self.begun)

    def progress(self, epoch: int, step: int = 0) -> float:
        """How much of the training is done, from 0 to 1; the schedule follows it."""
        done = (epoch * self.steps + step) / (self.epochs * self.steps)
        if not self.limit:
            return done
        return max(done, self.elapsed / (self.limit - self._reserved_seconds()))

    def total(self, taken: int, done: float) -> int:
        """Updates in all: those planned, or as many as the time seems to allow."""
        return round(taken / max(done, taken / 10**9)) if self.limit else self.epochs * self.steps

    def has_time_to_validate(self, epoch: int) -> bool:
        """Always, where epochs count; where minutes do, as long as it takes few of them."""
        if not self.limit or self.progress(epoch) >= 1 or self.validated == 0:
            return True
        return self.validated + self._longest() < _VALIDATION_SHARE * self.elapsed

    def _reserved_seconds(self) -> float:
        """Seconds to keep for the last validation and for writing."""
        return min(self._longest() * self._validations_reserved + 2, self.limit / 2)

    def _longest(self) -> float:
        return max((r.get("validation seconds", 0.0) for r in self.record.rows), default=0.0)
