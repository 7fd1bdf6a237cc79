"""Work on blocks and on the machines of a Dask cluster, from the command line."""

from concurrent.futures import CancelledError

import numpy as np
import pytest

from napari_segment import segment
from napari_segment.cli import main
from napari_segment.cli.cluster import _what_clusters_say, cluster
from napari_segment.errors import MissingError
from napari_segment.io import read_labels


@pytest.mark.slow
def test_blocks_and_a_cluster_give_the_same(cells, tmp_path, monkeypatch):
    from distributed import LocalCluster

    expected = segment(cells, "otsu", cleanups=["connected_components"])
    arguments = ["segment", "otsu", str(cells), "--cleanup", "connected_components", "-o"]
    assert main([*arguments, str(tmp_path / "lazy.ome.zarr"), "--lazy"]) == 0
    assert np.array_equal(read_labels(tmp_path / "lazy.ome.zarr"), expected)
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        assert main([*arguments, str(tmp_path / "c.tif"), "--scheduler", address]) == 0
    assert np.array_equal(read_labels(tmp_path / "c.tif"), expected)
    monkeypatch.setattr("napari_segment.api.batch.reading.LARGE", 0.0)
    assert main([*arguments, str(tmp_path / "large.tif")]) == 0
    assert np.array_equal(read_labels(tmp_path / "large.tif"), expected)


@pytest.mark.parametrize("address", ["nonsense", "nonsense://x:1"])
def test_addresses_of_no_cluster_are_refused_at_once(cells, capsys, monkeypatch, address):
    monkeypatch.setattr("distributed.Client", None)
    assert main(["segment", "otsu", str(cells), "-o", "a.tif", "--scheduler", address]) == 1
    assert f"No Dask scheduler answers at {address}" in capsys.readouterr().err


def test_a_missing_cluster_is_an_error(cells, tmp_path, capsys):
    out = str(tmp_path / "a.tif")
    assert main(["segment", "otsu", str(cells), "-o", out, "--scheduler", "nonsense://x:1"]) == 1
    assert "No Dask scheduler answers at nonsense" in capsys.readouterr().err
    assert main(["segment", "otsu", str(cells), "-o", out, "--lazy"]) == 0  # in threads, as before


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (FileNotFoundError(2, "No such file", "/a/b.tif"), "/a/b.tif is not there for a worker of"),
        (CancelledError("task-1"), "was lost before the work was done"),
    ],
)
def test_what_ends_the_work_of_a_cluster_is_reported(error, message):
    with pytest.raises(MissingError, match=message), _what_clusters_say("tcp://x:1"):
        raise error


@pytest.mark.slow
def test_a_cluster_without_workers_is_an_error(capsys):
    from distributed import LocalCluster

    with LocalCluster(n_workers=0, processes=False, dashboard_address=None) as made:
        with cluster(made.scheduler_address):
            pass
        assert "no workers yet: waiting" in capsys.readouterr().err
