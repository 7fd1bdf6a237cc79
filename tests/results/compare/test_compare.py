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
from scipy.optimize import linear_sum_assignment

from napari_segment.errors import InputError
from napari_segment.image import Labels
from napari_segment.results.compare import aggregate, compare


def objects(seed, shape=(60, 70), count=40):
    """Random overlapping boxes, the later ones on top."""
    random = np.random.default_rng(seed)
    labels = np.zeros(shape, np.uint16)
    for i in range(1, count + 1):
        corner = [random.integers(0, n - 4) for n in shape]
        sides = random.integers(3, 12, len(shape))
        labels[tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))] = i
    return labels


def shaken(labels, seed, shift=1):
    moved = np.roll(labels, shift, axis=0)
    random = np.random.default_rng(seed)
    lost = random.choice(np.unique(labels)[1:], 5, replace=False)
    moved[np.isin(moved, lost)] = 0
    return np.where(moved, (moved * 7) % 331, 0).astype(np.uint16)  # other numbers


def dense_iou(a, b):
    ours, theirs = np.unique(a)[1:], np.unique(b)[1:]
    table = [
        [((a == i) & (b == j)).sum() / ((a == i) | (b == j)).sum() for j in theirs] for i in ours
    ]
    return np.array(table).reshape(len(ours), len(theirs))


@pytest.mark.parametrize("seed", range(4))
def test_object_scores_are_those_of_the_dense_table(seed):
    reference = objects(seed)
    labels = shaken(reference, seed)
    iou = dense_iou(labels, reference)
    scores = compare(labels, reference)
    for threshold, matched in zip(scores.objects.thresholds, scores.objects.matched, strict=True):
        rows, columns = linear_sum_assignment(iou >= threshold, maximize=True)
        assert matched == (iou[rows, columns] >= threshold).sum()
    matched = scores.objects.matched[0]
    total = sum(iou.shape)
    assert scores.objects.f1_at(0.5) == pytest.approx(2 * matched / total)
    assert scores.objects.ap_at(0.5) == pytest.approx(matched / (total - matched))
    rows, columns = linear_sum_assignment(np.where(iou >= 0.5, iou, 0), maximize=True)
    quality = iou[rows, columns][iou[rows, columns] >= 0.5].sum() / (total / 2)
    assert scores.objects.panoptic_quality == pytest.approx(quality)
    assert scores.objects.average_precision == pytest.approx(
        np.mean([m / (total - m) for m in scores.objects.matched])
    )


def aggregated_jaccard(labels, reference):
    iou = dense_iou(labels, reference)
    ours, theirs = np.unique(labels)[1:], np.unique(reference)[1:]
    both = either = 0
    used = set()
    for j, label in enumerate(theirs):
        i = iou[:, j].argmax()
        if iou[i, j] == 0:
            either += (reference == label).sum()
            continue
        used.add(i)
        both += ((labels == ours[i]) & (reference == label)).sum()
        either += ((labels == ours[i]) | (reference == label)).sum()
    return both / (either + sum((labels == n).sum() for i, n in enumerate(ours) if i not in used))


@pytest.mark.parametrize("seed", range(3))
def test_aggregated_jaccard_is_that_of_its_definition(seed):
    reference = objects(seed)
    labels = shaken(reference, seed, shift=2)
    actual = compare(labels, reference).objects.aggregated_jaccard
    assert actual == pytest.approx(aggregated_jaccard(labels, reference))


def test_a_known_case():
    reference = np.array([[1, 1, 1, 1, 0, 2, 2, 0, 3]])
    labels = np.array([[1, 1, 0, 0, 0, 4, 4, 5, 0]])
    scores = compare(labels, reference)
    assert scores.mean_dice == 2 * 4 / (5 + 7)
    assert scores.objects.matched[:2] == (2, 1)  # IoU 0.5 and 1
    assert scores.objects.aggregated_jaccard == 4 / (4 + 2 + 1 + 1)
    rows = scores.per_object.set_index("reference")
    assert rows.loc[2, "label"] == 4
    assert rows.loc[1, "iou"] == 0.5
    assert not rows.loc[3, "matched"]
    assert rows.loc[0, "label"] == 5


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


def test_objects_restart_at_each_time_point():
    reference = np.stack([objects(0), objects(1)])
    labels = reference.copy()
    labels[1] = 0
    scores = compare(Labels(labels, "TYX"), Labels(reference, "TYX"))
    expected = len(np.unique(reference[0])) - 1
    assert scores.objects.matched[-1] == expected
    assert scores.objects.expected == expected + len(np.unique(reference[1])) - 1
    assert set(scores.per_object["time"]) == {0, 1}


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


# ---- voxels without annotation ----


def halves(holds="objects"):
    """A result with errors in the right half, and a reference of the left half."""
    result, reference = np.zeros((2, 20, 40), np.int16)
    result[2:10, 2:12] = reference[2:10, 2:12] = 1
    result[12:18, 25:35] = 2  # false where everything is annotated
    return Labels(result, holds=holds), Labels(reference, holds=holds)


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


def test_objects_are_scored_on_what_is_left_of_them():
    result, reference = halves()
    data = np.array(reference.data)
    data[:, 7:] = 9  # half of the object
    scores = compare(result, reference.replace(data=data), ignore_index=9)
    assert (scores.classes[0].voxels, scores.classes[0].reference_voxels) == (40, 40)
    assert scores.objects.matched[0] == 1


def test_a_reference_without_annotation_is_an_error():
    result, reference = halves()
    with pytest.raises(InputError, match="No voxel of the reference is annotated"):
        compare(result, reference.replace(data=reference.data * 0 - 1))
    with pytest.raises(InputError, match=r"holds only \[0\]"):
        compare(result, reference.replace(data=reference.data * 0), ignore_index=0)
