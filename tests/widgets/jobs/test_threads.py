"""Outcomes of calls in threads are handed over in the main thread."""

import threading

from napari_segment.widgets.jobs.threads import call_in_thread


def test_results_and_errors_come_to_the_main_thread(qtbot):
    taken = []

    def take(result, error):
        taken.append((result, error, threading.current_thread()))

    reason = OSError("no such disk")

    def fails():
        raise reason

    call_in_thread(threading.get_ident, take)
    qtbot.waitUntil(lambda: len(taken) == 1, timeout=10_000)
    call_in_thread(fails, take)
    qtbot.waitUntil(lambda: len(taken) == 2, timeout=10_000)
    (ident, none, first), (nothing, error, second) = taken
    assert none is None
    assert nothing is None
    assert ident != threading.get_ident()
    assert error is reason
    assert first is second is threading.main_thread()


def test_a_slow_call_holds_up_no_other(qtbot):
    taken, go_on = [], threading.Event()
    call_in_thread(go_on.wait, lambda result, error: taken.append("slow"))
    call_in_thread(lambda: None, lambda result, error: taken.append("quick"))
    qtbot.waitUntil(lambda: taken == ["quick"], timeout=10_000)
    go_on.set()
    qtbot.waitUntil(lambda: taken == ["quick", "slow"], timeout=10_000)
