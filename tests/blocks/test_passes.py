"""Passes over lazy arrays on a cluster: the same values, and no task that its scheduler doubts."""

import logging

import dask
import dask.array as da
import numpy as np
import pytest
from scipy import ndimage as ndi

from napari_segment.blocks import computed
from napari_segment.registry import cleanups


@pytest.fixture(scope="module")
def client():
    from distributed import Client, LocalCluster

    options = {"processes": False, "dashboard_address": None, "n_workers": 2}
    with LocalCluster(threads_per_worker=1, **options) as cluster, Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def labels():
    noise = ndi.gaussian_filter(np.random.default_rng(0).random((20, 60, 70)), 2)
    return ndi.label(noise > np.quantile(noise, 0.6))[0].astype(np.uint16)


def test_values_come_in_order_without_a_cluster():
    assert computed([]) == []
    assert computed([dask.delayed(n + 1) for n in range(5)]) == [1, 2, 3, 4, 5]


@pytest.mark.slow
@pytest.mark.parametrize("persisted", [False, True], ids=["read", "persisted"])
def test_a_cluster_doubts_no_task(client, labels, persisted, caplog):
    lazy = da.from_array(labels, chunks=(7, 32, 33))
    lazy = lazy.persist() if persisted else lazy
    names = ("connected_components", "remove_small", "keep_largest", "clear_border")
    with caplog.at_level(logging.WARNING, "distributed.scheduler"):
        for name in names:
            actual = np.asarray(cleanups[name](lazy))
            np.testing.assert_array_equal(actual, np.asarray(cleanups[name](labels)))
    assert not [r for r in caplog.records if "run_spec" in r.getMessage()]
