import json

import dask.array as da
import numpy as np
import pytest
import torch
from monai.metrics import (
    compute_average_surface_distance,
    compute_dice,
    compute_hausdorff_distance,
)
from scipy import ndimage as ndi
from shared.rectangles import halves, objects, shaken

from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.results.compare import aggregate, compare


def classes(seed, shape=(20, 30, 25)):
    smooth = ndi.gaussian_filter(np.random.default_rng(seed).random(shape), 3)
    return np.digitize(smooth, np.quantile(smooth, [0.5, 0.8])).astype(np.uint8)


def test_classes_are_scored_as_by_monai():
    reference = classes(0)
    labels = np.roll(reference, 2, axis=2)
    spacing = (2.0, 0.7, 0.5)
    held = {"holds": "classes", "spacing": spacing, "unit": "mm", "names": {1: "organ"}}
    scores = compare(Labels(labels, **held), Labels(reference, **held), surface=True)
    one_hot = [
        torch.tensor(np.stack([a == c for c in range(3)])[None].astype(np.float32))
        for a in (labels, reference)
    ]
    dice = compute_dice(*one_hot, include_background=False)[0]
    hd95 = compute_hausdorff_distance(*one_hot, percentile=95, spacing=spacing)[0]
    mean = compute_average_surface_distance(*one_hot, symmetric=True, spacing=spacing)[0]
    for c, actual in enumerate(scores.classes):
        assert actual.dice == pytest.approx(float(dice[c]), abs=1e-6)
        assert actual.surface["hd95"] == pytest.approx(float(hd95[c]), rel=1e-5)
        assert actual.surface["surface_distance"] == pytest.approx(float(mean[c]), rel=1e-5)
    assert scores.classes[0].name == "organ"
    assert "HD95" in str(scores)
    assert "mm" in str(scores)


def test_masks_against_objects_compare_foreground():
    scores = compare(objects(0) > 0, objects(0))
    assert scores.holds == "mask"
    assert scores.mean_dice == 1.0
    assert scores.objects is None


@pytest.mark.parametrize("shape", [(5, 6), (3, 4, 5)])
def test_nothing_in_either_is_perfect_agreement(shape):
    empty = np.zeros(shape, np.uint8)
    scores = compare(empty, empty, surface=True)
    assert scores.mean_dice == scores.objects.f1_at(0.5) == scores.objects.panoptic_quality == 1.0
    assert "0 detected" in str(scores)


def test_one_empty_side_scores_nothing():
    scores = compare(np.zeros((9, 9), int), objects(0)[:9, :9], surface=True)
    assert scores.mean_dice == scores.objects.f1_at(0.5) == 0.0
    assert np.isnan(scores.summary["precision"])
    assert scores.to_dict()["summary"]["precision"] is None
    json.dumps(scores.to_dict(), allow_nan=False)


def test_lazy_labels_score_the_same():
    reference, labels = objects(0), shaken(objects(0), 0)
    lazy = compare(da.from_array(labels, chunks=(7, 70)), da.from_array(reference, chunks=(60, 9)))
    assert lazy == compare(labels, reference)


def test_means_leave_out_what_is_not_defined():
    scores = [
        compare(np.ones((2, 2), int), b) for b in (np.ones((2, 2), int), np.zeros((2, 2), int))
    ]
    mean = aggregate(scores).mean
    assert mean["mean_dice"] == 0.5
    assert mean["recall"] == 1.0


def test_other_grids_and_contents_are_refused():
    with pytest.raises(InputError, match="grid"):
        compare(np.ones((4, 5), int), np.ones((4, 6), int))
    with pytest.raises(InputError, match="spacing"):
        compare(
            Labels(np.ones((4, 5), int), spacing=(1, 1), unit="mm"),
            Labels(np.ones((4, 5), int), spacing=(1, 2), unit="mm"),
        )
    with pytest.raises(InputError, match="classes"):
        compare(Labels(np.ones((4, 5), int), holds="classes"), np.ones((4, 5), int))


@pytest.mark.parametrize("holds", ["mask", "classes", "objects"])
@pytest.mark.parametrize("number", [255, 7, -1, -100])
def test_voxels_without_annotation_are_left_out(holds, number):
    result, reference = halves(holds)
    assert compare(result, reference).mean_dice < 0.8
    data = np.array(reference.data)
    data[:, 20:] = number
    scores = compare(
        result, reference.replace(data=data), ignore_index=number if number > 0 else "none",
        surface=True,
    )  # fmt: skip
    assert scores.mean_dice == 1
    assert scores.ignored == scores.to_dict()["ignored"] == 400
    assert scores.classes[0].surface["hd95"] == 0
    assert "400 voxels without annotation" in str(scores)
    if holds == "objects":
        assert (scores.objects.detected, scores.objects.expected) == (1, 1)


def test_a_reference_without_annotation_is_an_error():
    result, reference = halves()
    with pytest.raises(InputError, match="No voxel of the reference is annotated"):
        compare(result, reference.replace(data=reference.data * 0 - 1))
    with pytest.raises(InputError, match=r"holds only \[0\]"):
        compare(result, reference.replace(data=reference.data * 0), ignore_index=0)
