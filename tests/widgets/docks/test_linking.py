"""The Track and Consensus docks in a real window."""

import dask.array as da
import numpy as np
import pytest
from shared.windows import open_dock, run

from napari_segment import api, samples
from napari_segment.image import Labels
from napari_segment.widgets.layers.conversion import labels_of, stack_layer

pytestmark = pytest.mark.screen


def shuffled():
    """Moving cells whose numbers say nothing from one time to the next."""
    _, truth = samples.time_lapse((6, 64, 64))
    data = np.asarray(truth.data).copy()
    highest = int(data.max())
    for t in range(1, len(data), 2):
        data[t][data[t] > 0] = highest + 1 - data[t][data[t] > 0]
    return truth.replace(data=data)


@pytest.mark.parametrize("kind", ["memory", "dask", "multiscale", "unnamed"])
def test_track_gives_one_number_through_time(qtbot, viewer, kind):
    from napari.layers import Layer

    truth = shuffled()
    data, attributes, name = stack_layer(truth)
    if kind == "dask":
        data = da.from_array(data, chunks=(2, 32, 64))
    if kind == "multiscale":
        data, attributes["multiscale"] = [data, data[:, ::2, ::2]], True
    if kind == "unnamed":
        del attributes["axis_labels"]
    layer = viewer.add_layer(Layer.create(data, attributes, name))
    dock = open_dock(viewer, "Track")
    dock.form.settings = {"min_overlap": 0.2, "max_gap": 2}
    assert "objects" in run(qtbot, dock)
    tracks = viewer.layers[-1]
    expected = api.track(truth, min_overlap=0.2, max_gap=2).data
    np.testing.assert_array_equal(np.asarray(tracks.data), expected)
    np.testing.assert_allclose(tracks.scale, layer.scale)
    assert tracks.units == layer.units
    dock.undo_button.click()
    assert tracks not in viewer.layers


def test_track_says_what_it_needs(qtbot, viewer):
    dock = open_dock(viewer, "Track")
    assert run(qtbot, dock).startswith("There is no Labels layer")
    viewer.add_labels(np.zeros((8, 8), np.uint8), name="flat")
    assert "need a time axis" in run(qtbot, dock)
    viewer.add_labels(np.zeros((3, 8, 8), np.uint8), name="deep", axis_labels=("z", "y", "x"))
    dock.labels.layer = viewer.layers["deep"]
    assert "named ZYX" in run(qtbot, dock)


def test_consensus_of_the_ticked_layers(qtbot, viewer):
    dock = open_dock(viewer, "Consensus")
    assert "at least two" in run(qtbot, dock)
    votes = np.zeros((3, 5, 12, 12), np.uint8)
    for number, vote in enumerate(votes):
        vote[1:4, 2:8, 2 : 7 + number] = number + 1
    scale = (2, 0.5, 0.5)
    for number, vote in enumerate(votes):
        viewer.add_labels(vote, name=f"vote {number}", scale=scale)
    viewer.add_labels(np.zeros((12, 12), np.uint8), name="other")
    for layer, box in dock.boxes.items():
        box.setChecked(layer.name != "vote 1")
    assert "planes or of volumes" in run(qtbot, dock)
    for layer, box in dock.boxes.items():
        box.setChecked("vote" in layer.name)
    viewer.layers.move(0, 3)  # the ticks stay with their layers
    assert run(qtbot, dock) == "Done: 1 objects."
    expected = api.consensus([Labels(vote) for vote in votes]).data
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
    np.testing.assert_allclose(viewer.layers[-1].scale, scale)
    assert dock.undo_button.isEnabled()
    viewer.layers.remove(viewer.layers[-1])
    assert not dock.undo_button.isEnabled()


def test_consensus_of_layers_on_several_grids(qtbot, viewer):
    """In one world: shifted by a voxel, flipped, and with voxels of half the size; as the verb."""
    vote = np.zeros((12, 12), np.uint8)
    vote[2:8, 2:9] = 1
    fine = vote.repeat(2, 0).repeat(2, 1)
    viewer.add_labels(vote, name="a", scale=(2, 2))
    viewer.add_labels(vote[1:, 1:], name="b", scale=(2, 2), translate=(2, 2))
    viewer.add_labels(fine[::-1], name="c", scale=(-1, 1), translate=(22.5, -0.5))
    dock = open_dock(viewer, "Consensus")
    for box in dock.boxes.values():
        box.setChecked(True)
    assert run(qtbot, dock).startswith("Done: 1 objects")
    np.testing.assert_array_equal(viewer.layers[-1].data > 0, vote > 0)
    expected = api.consensus([labels_of(viewer.layers[name]) for name in "abc"]).data
    np.testing.assert_array_equal(viewer.layers[-1].data, expected)
