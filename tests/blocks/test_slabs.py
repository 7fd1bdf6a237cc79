"""Work over slabs covers each position once, in order, in threads or not."""

import threading

import numpy as np
import pytest

from napari_segment.blocks import slabs


@pytest.fixture(params=[1, 3])
def threads(request, monkeypatch):
    monkeypatch.setattr(slabs, "threads", lambda: request.param)
    slabs._pool.cache_clear()
    yield request.param
    slabs._pool.cache_clear()


@pytest.mark.parametrize(("length", "thickness"), [(0, 0), (1, 0), (7, 0), (100, 0), (10, 4)])
def test_slabs_cover_each_position_once(threads, length, thickness):
    count = np.zeros(length, int)

    def work(start, stop):
        count[start:stop] += 1
        return start, stop

    parts = slabs.over_slabs(work, length, thickness)
    assert (count == 1).all()
    assert parts == sorted(parts)
    if thickness:
        assert parts == [(0, 4), (4, 8), (8, 10)]


def test_slabs_within_slabs_wait_for_no_thread(threads):
    """With a pool of their own size they would wait for each other for ever."""

    def inner(start, stop):
        return threading.get_ident()

    def outer(start, stop):
        return {threading.get_ident()} == set(slabs.over_slabs(inner, 50))

    assert all(slabs.over_slabs(outer, 40))


def test_an_error_in_a_slab_is_raised(threads):
    def work(start, stop):
        if start:
            raise ValueError(f"slab {start}")

    with pytest.raises(ValueError, match="slab"):
        slabs.over_slabs(work, 30)
