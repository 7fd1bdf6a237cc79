"""Tiles are shared among the machines of a Dask cluster."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from shared.checkpoints import label, made

from napari_segment.deep.inference.dask_workers import worker_addresses
from napari_segment.deep.inference.networks.dask_cluster import _load_on_worker
from napari_segment.deep.inference.prediction import Options, predict_with
from napari_segment.step import run


@pytest.mark.slow
def test_the_workers_of_a_cluster_share_the_tiles(tmp_path, image):
    distributed = pytest.importorskip("distributed")
    one, two = made(tmp_path / "a"), made(tmp_path / "bcd")
    flat = made(tmp_path / "flat", ndim=2, patch=(16, 16))
    options = Options(overlap=0.5)
    want = run(predict_with([one, two], image, (), options, "disagreement"))
    planes = label(flat, image)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        assert len(worker_addresses()) == 2
        got = run(predict_with([one, two], image, (), options, "disagreement"))
        assert np.array_equal(label(flat, image), planes)
        loaded = client.run(lambda: _load_on_worker.cache_info().misses)
        assert sorted(loaded.values()) == [2, 2]  # each network once on each worker
        torch.manual_seed(99)
        network = one.network()
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter, std=0.2)
        one = one.save(network.state_dict())  # other weights in the same folder
        anew = run(predict_with([one, two], image, (), options, "disagreement"))
    assert worker_addresses() == []
    np.testing.assert_allclose(got, want, atol=1e-6)
    here = run(predict_with([one, two], image, (), options, "disagreement"))
    np.testing.assert_allclose(anew, here, atol=1e-6)
    assert np.abs(anew - want).max() > 0.01
