"""Cases, their split, and batches that threads run ahead."""

import threading

import numpy as np
import pytest

from napari_segment.deep.data.batches import ahead, planes_as_channels
from napari_segment.deep.data.patches import Sample, choose_centres
from napari_segment.errors import InputError


def test_planes_become_channels_and_ends_are_repeated():
    image = np.arange(4, dtype=np.float32).reshape(1, 4, 1, 1) * np.ones((1, 4, 5, 5), np.float32)
    target = np.zeros((1, 4, 5, 5), np.int16)
    target[0, 2, 1, 3] = 1
    sample = Sample(image, target, choose_centres(target, 0))
    first = planes_as_channels(sample, 0, 3)
    assert first.image[:, 0, 0].tolist() == [0, 0, 1]
    assert not first.centres
    third = planes_as_channels(sample, 2, 3)
    assert third.image[:, 0, 0].tolist() == [1, 2, 3]
    assert third.centres[1].tolist() == [[1, 3]]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_order(workers):
    assert list(ahead(lambda i: i * i, range(20), workers=workers, depth=4)) == [
        i * i for i in range(20)
    ]


def test_an_error_of_a_worker_is_raised_where_its_result_would_come():
    def fail(i):
        if i == 2:
            raise InputError("two")
        return i

    results = ahead(fail, range(5), workers=2, depth=2)
    assert [next(results), next(results)] == [0, 1]
    with pytest.raises(InputError, match="two"):
        next(results)


def test_closing_stops_the_workers():
    started = []
    results = ahead(started.append, range(1000), workers=1, depth=2)
    next(results)
    results.close()
    assert len(started) < 10
    assert not any(t.name.startswith("batches_9") for t in threading.enumerate())
