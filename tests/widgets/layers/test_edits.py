"""Edits of a layer: in place, in the picture, in features and provenance, on disk too."""

import numpy as np
import pandas as pd
import pytest
import zarr
from napari.layers import Image as ImageLayer
from napari.layers import Labels as LabelsLayer

import napari_segment as ns
from napari_segment.errors import FormatError, InputError
from napari_segment.recipe import Edit, Recipe
from napari_segment.testing import edit_sample
from napari_segment.widgets.layers.conversion import KEY, result_layer
from napari_segment.widgets.layers.edits import LayerEdits
from napari_segment.widgets.layers.journals import earlier_edits, put_aside


def edit(name, at=None, **settings):
    return Edit(name=name, settings=settings, at=at or {})


@pytest.fixture
def journal(tmp_path):
    return tmp_path / "labels.edits.jsonl"


@pytest.fixture
def edits(journal):
    made = LayerEdits(LabelsLayer(edit_sample()[0].astype(np.int32)), journal)
    yield made
    made.close()


def shown(layer):
    return np.asarray(layer._slice.image.raw)


def test_edits_change_the_data_and_the_picture_in_place(edits):
    data = edits.layer.data
    edits.make(edit("merge", numbers=[1, 2]))
    assert edits.layer.data is data
    assert data[2, 9] == 1
    assert np.array_equal(shown(edits.layer), data)
    edits.undo()
    assert data[2, 9] == 2
    edits.redo()
    assert data[2, 9] == 1


@pytest.mark.parametrize("contour", [0, 1])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "int64"])
def test_the_picture_is_that_of_a_whole_refresh(contour, dtype, journal):
    layer = LabelsLayer(edit_sample(3)[0].astype(dtype))
    layer.contour = contour
    edits = LayerEdits(layer, journal)
    edits.make(edit("merge", numbers=[1, 2]))
    edits.make(edit("grow", numbers=[4], distance=1))
    edits.make(edit("delete", numbers=[3]))
    view = np.array(layer._slice.image.view)
    layer.refresh()
    if contour == 0:
        assert np.array_equal(view, layer._slice.image.view)
    edits.close()


def test_arrays_on_disk_are_edited_and_shown(tmp_path, journal):
    labels = edit_sample(3)[0]
    stored = zarr.create_array(
        tmp_path / "labels.zarr", shape=labels.shape, chunks=(1, 7, 7), dtype="u1"
    )
    stored[...] = labels
    edits = LayerEdits(LabelsLayer(stored), journal)
    edits.make(edit("delete", numbers=[2]))
    assert 2 not in stored[...]
    assert 2 not in shown(edits.layer)
    edits.layer.paint((0, 12, 20), 7)
    assert 7 in shown(edits.layer)
    edits.undo()
    edits.undo()
    assert np.array_equal(stored[...], labels)
    assert np.array_equal(
        shown(edits.layer), labels[int(edits.layer._slice_input.world_slice.point[0])]
    )
    edits.close()


def test_a_number_that_does_not_fit_widens_the_layer(journal):
    layer = LabelsLayer(np.array([[255, 255, 0, 1]], np.uint8))
    edits = LayerEdits(layer, journal)
    lost = []
    edits.lost.connect(lost.append)
    edits.make(edit("relabel", number=1))
    assert layer.data.tolist() == [[255, 255, 0, 256]]
    assert layer.data.dtype == np.uint16
    edits.layer.paint((0, 2), 300)
    edits.undo()
    edits.undo()
    assert layer.data.tolist() == [[255, 255, 0, 1]]
    assert not lost
    edits.close()


def test_strokes_of_every_kind_are_recorded(edits, journal):
    layer, begun = edits.layer, edits.layer.data.copy()
    layer.brush_size = 3
    layer.paint((12, 20), 9)
    layer.fill((3, 18), 8)
    layer.paint_polygon([(8, 15), (8, 19), (11, 19), (11, 15)], 6)
    layer.data_setitem((np.array([0, 0, 13]), np.array([0, 1, 29])), [3, 4, 3])
    with layer.block_history():
        layer.paint((2, 2), 0)
        layer.paint((3, 3), 5)
    final = layer.data.copy()
    count = len(edits.session.edits)
    assert count == 7  # the two of data_setitem, and of the block, have two numbers each
    assert np.array_equal(ns.replay_edits(begun, journal).data, final)
    for _ in range(count):
        edits.undo()
    assert np.array_equal(layer.data, begun)


def test_a_stroke_that_cannot_be_recorded_is_undone(edits, monkeypatch):
    before, failures = edits.layer.data.copy(), []
    edits.failed.connect(failures.append)

    def full(*_):
        raise FormatError("The disk is full.")

    monkeypatch.setattr(edits.session._file, "append", full)
    with pytest.raises(FormatError):  # so that napari does not paint
        edits.layer.paint((12, 20), 9)
    assert np.array_equal(edits.layer.data, before)
    edits.layer._begin_stroke()  # as the mouse does
    edits.layer.paint((12, 20), 9)
    edits.layer._commit_stroke()
    assert np.array_equal(edits.layer.data, before)
    assert failures == ["The disk is full."] * 2


def test_features_follow_and_come_back(journal):
    layer = LabelsLayer(edit_sample()[0].astype(np.int32))
    layer.features = pd.DataFrame({"index": range(6), "score": [np.nan, 0.1, 0.2, 0.3, 0.4, 0.5]})
    edits = LayerEdits(layer, journal)
    edits.make(edit("delete", numbers=[3]))
    edits.make(edit("grow", numbers=[1], distance=1))
    assert layer.features["score"].isna().tolist() == [True, False, False, True, False, False]
    assert layer.features["edited"].tolist() == [False, True, False, False, False, False]
    edits.undo()
    edits.undo()
    assert layer.features["score"].tolist()[1:] == [0.1, 0.2, 0.3, 0.4, 0.5]
    edits.make(edit("grow", numbers=[2], distance=1))
    layer.features = pd.DataFrame({"index": range(6), "score": np.arange(6) / 2})  # measured again
    edits.make(edit("grow", numbers=[1], distance=1))
    assert layer.features["edited"].tolist() == [False, True, False, False, False, False]
    assert layer.features["score"].tolist() == (np.arange(6) / 2).tolist()
    edits.close()


def test_the_recipe_of_the_layer_makes_the_corrected_result_again(journal):
    image = np.full((16, 24), 10, np.uint8)
    image[2:7, 2:7] = image[2:7, 12:20] = 200
    labels = ns.segment(image, "otsu", cleanups=["connected_components"])
    layer = LabelsLayer(*result_layer(labels, ImageLayer(image), "YX", "labels")[:1])
    layer.metadata = result_layer(labels, ImageLayer(image), "YX", "labels")[1]["metadata"]
    edits = LayerEdits(layer, journal)
    edits.make(edit("delete", numbers=[1]))
    layer.paint((12, 20), 9)
    recipe = Recipe.from_plain(layer.metadata[KEY]["recipe"])
    assert [e.name for e in recipe.edits] == ["delete", "paint"]
    assert np.array_equal(ns.replay(recipe, image).data, layer.data)
    edits.undo()
    edits.undo()
    recipe = Recipe.from_plain(layer.metadata[KEY]["recipe"])
    assert (recipe.edits, recipe.edited) == ((), "")
    edits.close()


def test_the_image_is_seen_and_others_are_refused(edits):
    pixels = edit_sample()[1]
    edits.see(ImageLayer(pixels))
    edits.make(edit("split", number=4, points=[[3, 18], [3, 26]], landscape="intensity"))
    with pytest.raises(InputError, match="has the shape"):
        edits.see(ImageLayer(pixels[1:]))


def test_the_journal_lies_next_to_the_file_or_in_the_users_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    layer = LabelsLayer(edit_sample()[0].astype(np.int32))
    own = earlier_edits(layer, 5)
    assert own.path.parent == tmp_path / "home" / "napari-segment" / "edits"
    file = tmp_path / "cells.tif"
    ns.write(ns.Labels(layer.data, "YX"), file)
    monkeypatch.setattr(type(layer.source), "path", str(file), raising=False)
    layer._source = layer.source.model_copy(update={"path": str(file)})
    assert earlier_edits(layer, 5).path == tmp_path / "cells.edits.jsonl"


def test_a_journal_of_other_labels_is_left_alone(edits, journal, tmp_path, monkeypatch):
    edits.make(edit("delete", numbers=[3]))
    layer, state = edits.layer, edits.session.history.checksum
    monkeypatch.setattr("napari_segment.widgets.layers.journals._next_to_file", lambda _: journal)
    edits.session.close()
    earlier = earlier_edits(layer, state)
    assert (earlier.path, earlier.count) == (journal, 1)
    assert earlier_edits(layer, state + 1).path.name == "labels.2.edits.jsonl"
    aside = put_aside(journal)
    assert aside.exists()
    assert earlier_edits(layer, state).count == 0


def test_a_large_stroke_is_several_edits_that_a_recipe_can_hold(journal):
    layer = LabelsLayer(np.zeros((60, 200, 200), np.int32))
    layer.n_edit_dimensions = 3
    edits = LayerEdits(layer, journal)
    checkers = np.indices((60, 200, 200)).sum(0) % 2 == 0
    checkers[:, :, 40:] = False
    layer.data_setitem(np.nonzero(checkers), 3)
    runs = [e.settings["runs"] for e in edits.session.edits]
    assert len(runs) > 1
    assert max(map(len, runs)) < 65_536
    expected = layer.data.copy()
    assert np.array_equal(ns.replay_edits(np.zeros_like(expected), journal).data, expected)
    edits.close()


def test_a_dock_that_comes_back_does_not_count_edits_twice(journal):
    image = np.full((16, 24), 10, np.uint8)
    image[2:7, 2:7] = image[2:7, 12:20] = 200
    labels = ns.segment(image, "otsu", cleanups=["connected_components"])
    data, attributes, _ = result_layer(labels, ImageLayer(image), "YX", "labels")
    layer = LabelsLayer(data, metadata=attributes["metadata"])
    for name in ("first", "second"):
        edits = LayerEdits(layer, journal)
        layer.paint((12, 20), 9 if name == "first" else 8)
        edits.close()
    recipe = Recipe.from_plain(layer.metadata[KEY]["recipe"])
    assert [e.settings["number"] for e in recipe.edits] == [9, 8]
    assert np.array_equal(ns.replay(recipe, image).data, layer.data)


def test_a_mask_with_a_second_number_holds_objects(journal):
    mask = ns.Labels(np.array([[1, 1, 0, 0, 0]], np.uint8), "YX", holds="mask")
    data, attributes, _ = result_layer(mask, ImageLayer(mask.data), "YX", "mask")
    layer = LabelsLayer(data, metadata=attributes["metadata"])
    edits = LayerEdits(layer, journal)
    layer.paint((0, 4), 2)
    assert layer.metadata[KEY]["holds"] == "objects"
    edits.undo()
    assert layer.metadata[KEY]["holds"] == "mask"
    edits.close()
