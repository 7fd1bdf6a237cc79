"""Scores of objects."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment
from shared.rectangles import halves, objects, shaken

from napari_segment.image import Labels
from napari_segment.results.compare import compare


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


def test_objects_restart_at_each_time_point():
    reference = np.stack([objects(0), objects(1)])
    labels = reference.copy()
    labels[1] = 0
    scores = compare(Labels(labels, "TYX"), Labels(reference, "TYX"))
    expected = len(np.unique(reference[0])) - 1
    assert scores.objects.matched[-1] == expected
    assert scores.objects.expected == expected + len(np.unique(reference[1])) - 1
    assert set(scores.per_object["time"]) == {0, 1}


def test_objects_are_scored_on_what_is_left_of_them():
    result, reference = halves()
    data = np.array(reference.data)
    data[:, 7:] = 9  # half of the object
    scores = compare(result, reference.replace(data=data), ignore_index=9)
    assert (scores.classes[0].voxels, scores.classes[0].reference_voxels) == (40, 40)
    assert scores.objects.matched[0] == 1
