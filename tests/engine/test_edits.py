"""A recipe carries edits: the corrected result is made again, and what no longer fits is said."""

import numpy as np
import pytest

import napari_segment as ns
from napari_segment.errors import InputError, LeftOutWarning
from napari_segment.recipe import Edit, Recipe
from napari_segment.results.edits.checksum import as_text, checksum


def image(shift=0):
    pixels = np.full((16, 24), 10, np.uint8)
    pixels[2:7, 2 + shift : 7 + shift] = pixels[2:7, 12:20] = pixels[10:14, 4:9] = 200
    return pixels


def recipe(**fields):
    return Recipe(
        method={"name": "otsu"},
        cleanups=({"name": "connected_components"},),
        edits=(
            Edit(name="merge", settings={"numbers": [1, 2]}),
            Edit(name="delete", settings={"numbers": [3]}),
        ),
        **fields,
    )


def test_edits_come_after_the_cleanups():
    labels = ns.replay(recipe(), image())
    assert set(np.unique(labels.data)) == {0, 1}
    assert labels.data[3, 3] == labels.data[3, 15] == 1
    assert not labels.data[10:14].any()
    assert labels.recipe.edits == recipe().edits
    again = Recipe.from_text(labels.recipe.to_yaml())
    assert np.array_equal(ns.replay(again, image()).data, labels.data)


def test_edits_that_do_not_fit_their_own_labels_are_an_error():
    wrong = recipe().model_copy(
        update={"edits": (Edit(name="delete", settings={"numbers": [99]}),)}
    )
    with pytest.raises(InputError, match="no object 99"):
        ns.replay(wrong, image())


def test_on_other_labels_it_says_which_edits_no_longer_fit():
    begun = ns.segment(image(), "otsu", cleanups=["connected_components"])
    known = recipe(edited=as_text(checksum(begun.data), begun.shape))
    assert np.array_equal(ns.replay(known, image()).data, ns.replay(recipe(), image()).data)
    with pytest.warns(UserWarning, match="All of them could be made"):
        ns.replay(known, image(shift=1))
    fewer = image()
    fewer[10:14] = 10
    with pytest.warns(LeftOutWarning, match=r"1 no longer fit .*edit 2 \(delete\): There is no"):
        labels = ns.replay(known, fewer)
    assert set(np.unique(labels.data)) == {0, 1}


def test_edits_look_at_the_channel_of_the_recipe():
    pixels = np.stack([image(), np.full((16, 24), 200, np.uint8)])
    pixels[1][:, 15] = 5
    split = Edit(
        name="split",
        settings={"number": 1, "points": [[4, 12], [4, 18]], "landscape": "intensity"},
    )
    given = Recipe(method={"name": "otsu"}, channel=0, edits=(split,))
    plain = ns.Image(pixels, "CYX")
    assert (ns.replay(given, plain).data > 1).any()


def test_edits_are_checked_before_the_work():
    wrong = recipe().model_copy(update={"edits": (Edit(name="delete", settings={"numbr": 3}),)})
    with pytest.raises(ns.SegmentError, match="no setting 'numbr'"):
        ns.replay(wrong, image())


def test_too_many_edits_are_left_to_the_journal(monkeypatch):
    from napari_segment.results.edits.labels import with_edits

    monkeypatch.setattr("napari_segment.results.edits.labels.MOST", 3)
    edits = recipe().edits
    whole = with_edits(recipe(), edits[:1], "x")
    assert (len(whole.edits), whole.edited) == (3, "x")
    for _ in range(2):
        whole = with_edits(whole, edits * 2, "x")
        assert (whole.edits, whole.edited) == ((), "")
    assert len(whole.warnings) == 1
    assert "replay their journal" in whole.warnings[0]
