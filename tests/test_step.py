"""Long work is run to its end, and cancelled by closing it."""

import pytest

from napari_segment.step import Step, run


def test_run_gives_what_the_work_returns():
    seen = []

    def work():
        for i in range(3):
            seen.append(i)
            yield Step(i, 3)
        return "the result"

    assert run(work()) == "the result"
    assert seen == [0, 1, 2]


def test_errors_of_the_work_come_through():
    def work():
        yield Step(0)
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        run(work())


def test_a_step_is_not_changed_by_who_looks_at_it():
    step = Step(1, 2, "half")
    with pytest.raises(AttributeError):
        step.done = 2
    assert (step.numbers, step.preview) == ({}, None)
    assert Step(0).numbers is not step.numbers
