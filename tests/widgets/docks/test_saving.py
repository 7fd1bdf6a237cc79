"""What is dropped on the window and saved from it: folders, OME-Zarr, MetaImage, DICOM."""

import numpy as np
import pytest
from npe2 import PluginManager
from shared.series import oblique_series
from shared.windows import open_dock, run

from napari_segment import io

pytestmark = pytest.mark.screen


def dropped(viewer, path):
    """Open a path with this plug-in, which is one of those offered for it."""
    readers = PluginManager.instance().iter_compatible_readers([str(path)])
    offered = {reader.plugin_name for reader in readers}
    assert "napari-segment" in offered
    viewer.open(str(path), plugin="napari-segment")
    return viewer.layers[-1]


def test_a_series_is_dropped_segmented_and_saved(qtbot, viewer, tmp_path):
    pytest.importorskip("highdicom")
    folder = oblique_series(tmp_path / "ct", np.random.default_rng(0))
    image = dropped(viewer, folder)
    assert image.data.shape == (5, 7, 9)
    dock = open_dock(viewer, "Threshold")
    run(qtbot, dock)
    labels = viewer.layers[-1]
    expected = io.read(folder)
    for name in ("a.dcm", "a.ome.zarr", "a.mha", "a.nii.gz", "RoiSet.zip", "a.ply"):
        (path,) = labels.save(str(tmp_path / name), plugin="napari-segment")
        assert path == str(tmp_path / name)
        if name != "a.ply":
            restored = io.read_labels(path)
            assert np.array_equal(np.asarray(restored.data), labels.data)
        if name not in ("RoiSet.zip", "a.ply"):
            assert np.allclose(restored.world(), expected.world(), atol=1e-4)
    for name in ("b.ome.zarr", "b.mha"):
        (path,) = image.save(str(tmp_path / name), plugin="napari-segment")
        assert np.array_equal(np.asarray(io.read(path).data), expected.data)


def test_stores_are_dropped(qtbot, viewer, tmp_path):
    data = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    path = io.write(io.read(io.write(_image(data), tmp_path / "a.tif")), tmp_path / "a.zarr")
    layer = dropped(viewer, path)
    assert np.array_equal(np.asarray(layer.data), data)
    assert tuple(layer.scale) == (2, 0.5, 0.5)


def _image(data):
    from napari_segment import Image

    return Image(data, "ZYX", (2, 0.5, 0.5), "micrometer")
