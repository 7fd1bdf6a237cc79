"""The time budget: nearly all minutes are used at any load, and the rate ends with the updates."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from napari_segment.deep.planning.settings import TrainSettings
from napari_segment.deep.training.clock import Clock
from napari_segment.deep.training.optimisation.optimizers_torch import rate


class Machine:
    """A training on a pretended clock, in the order of the real loop.

    Parameters
    ----------
    minutes : float
        The limit.
    update, validation, fit : float
        Seconds of an update, a validation, and the decoding of objects, without load.
    load : callable
        From seconds to the factor by which everything is slower then.
    """

    def __init__(self, minutes, update, validation, load, fit=0.0, steps=10, start=3.0):
        self.time, self.load = 0.0, load
        self.seconds = {"update": update, "validation": validation, "fit": fit}
        record = SimpleNamespace(rows=[])
        group = SimpleNamespace(from_leader=lambda value: value)
        settings = TrainSettings(out="run", minutes=minutes)
        plan = SimpleNamespace(steps=steps)
        self.clock = Clock(settings, plan, group, record, 0.0, now=lambda: self.time)
        self.rates, self.epoch = [], 0
        self.passes(start)  # reads the cases
        self.passes(validation / 5)
        self.clock.first_validation = validation

    def passes(self, seconds):
        self.time += seconds * self.load(self.time)

    def run(self):
        """Train to the end; returns the clock at the end."""
        while not self.clock.is_over(self.epoch):
            self.one_epoch()
        if self.seconds["fit"]:
            tries, seconds = 30, 0.0
            while tries and not self.clock.is_late(seconds):
                begun = self.time
                self.passes(self.seconds["fit"] / 30)
                tries, seconds = tries - 1, self.time - begun
        self.passes(0.3)
        return self.time

    def one_epoch(self):
        begun = self.time
        for step in range(self.clock.steps):
            if self.clock.is_over(self.epoch, step):
                break
            self.rates.append(rate("cosine", self.clock.progress(self.epoch, step), 0.02))
            self.passes(self.seconds["update"])
        if self.time == begun:
            return
        self.epoch += 1
        row = {"epoch": self.epoch}
        if self.clock.has_time_to_validate(self.epoch):
            begun = self.time
            self.passes(self.seconds["validation"])
            row["validation seconds"] = self.time - begun
            self.clock.validated += self.time - begun
            self.clock.fit_decoding = self.seconds["fit"] * self.load(self.time)
        self.clock.record.rows.append(row)


LOADS = {
    "quiet": lambda _: 1.0,
    "busy": lambda _: 3.0,
    "very busy": lambda _: 8.0,
    "rising": lambda t: 1.0 if t < 200 else 2.0,
    "falling": lambda t: 3.0 if t < 300 else 1.0,
    "changing": lambda t: 1.0 + (t // 20) % 3,
}


@pytest.mark.parametrize("load", LOADS)
@pytest.mark.parametrize(
    ("update", "validation", "fit"),
    [(0.2, 2.0, 0.0), (0.05, 0.1, 0.0), (1.0, 6.0, 0.0), (0.2, 2.0, 10.0), (0.2, 2.0, 100.0)],
)
def test_nearly_all_minutes_are_used_and_no_more(load, update, validation, fit):
    machine = Machine(10, update, validation, LOADS[load], fit)
    used = machine.run() / 600
    assert 0.95 <= used <= 1.02
    assert machine.rates[-1] < 0.02
    assert max(machine.rates) == pytest.approx(1, abs=0.05)
    falling = machine.rates[machine.rates.index(max(machine.rates)) :]
    assert falling == sorted(falling, reverse=True)


def test_few_slow_updates_end_at_the_end_of_the_rate():
    machine = Machine(2, 8.0, 4.0, LOADS["quiet"], start=10)
    assert 0.9 <= machine.run() / 120 <= 1.02
    assert 8 <= len(machine.rates) <= 13
    assert machine.rates[-1] < 0.05


def test_the_end_stays_the_end():
    machine = Machine(1, 0.5, 20.0, LOADS["quiet"])
    while not machine.clock.is_over(machine.epoch):
        machine.one_epoch()
    machine.clock.record.rows[:] = [{"validation seconds": 0.1}]  # shorter than was reserved
    assert machine.clock.is_over(machine.epoch)


def test_epochs_count_without_minutes():
    group = SimpleNamespace(from_leader=lambda value: value)
    settings = TrainSettings(out="run", epochs=4)
    record = SimpleNamespace(rows=[])
    clock = Clock(settings, SimpleNamespace(steps=10), group, record, 0.0, now=lambda: 1e9)
    assert clock.progress(1, 5) == pytest.approx(15 / 40)
    assert not clock.is_over(3, 9)
    assert clock.is_over(4)
    assert not clock.is_late()
    assert clock.has_time_to_validate(1)
