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
from napari_segment.results.compare.surface import hausdorff_95
from napari_segment.results.matching import best_matching


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
    found = compare(labels, reference).objects.aggregated_jaccard
    assert found == pytest.approx(aggregated_jaccard(labels, reference))


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


def test_equal_overlaps_are_matched_optimally():
    # 1–1 and 1–2, 2–1 all overlap by half: two matches are possible, a greedy choice finds one.
    pairs = np.array([[1, 1], [1, 2], [2, 1]])
    assert best_matching(pairs, np.full(3, 0.5)).tolist() == [1, 2]


@pytest.mark.parametrize("seed", range(3))
def test_matching_is_that_of_the_dense_assignment(seed):
    random = np.random.default_rng(seed)
    table = random.random((30, 25)) * (random.random((30, 25)) < 0.08)
    pairs = np.argwhere(table)
    gains = table[tuple(pairs.T)]
    rows, columns = linear_sum_assignment(table, maximize=True)
    assert gains[best_matching(pairs, gains)].sum() == pytest.approx(table[rows, columns].sum())


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
    for c, found in enumerate(scores.classes):
        assert found.dice == pytest.approx(float(dice[c]), abs=1e-6)
        assert found.surface["hd95"] == pytest.approx(float(hd95[c]), rel=1e-5)
        assert found.surface["surface_distance"] == pytest.approx(float(mean[c]), rel=1e-5)
    assert scores.classes[0].name == "organ"
    assert "HD95" in str(scores)
    assert "mm" in str(scores)


def test_surface_distance_of_shifted_boxes():
    a, b = np.zeros((2, 40, 40), bool)
    a[10:20, 10:20] = True
    b[10:20, 13:23] = True
    scores = compare(Labels(a, spacing=(1, 2)), b, surface=True)
    assert scores.classes[0].surface["hd95"] == 6.0


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


def test_hausdorff_of_two_bars_by_hand():
    a, b = np.zeros((9, 12), bool), np.zeros((9, 12), bool)
    a[4, 2:8], b[7, 2:8] = True, True
    assert hausdorff_95(a, b, (2.0, 1.0)) == 6.0
    assert np.isnan(hausdorff_95(a, b & False, (2.0, 1.0)))


def test_pooled_scores_count_objects_and_means_count_cases():
    one = np.array([[1, 0, 0, 0, 0]])
    three = np.array([[1, 0, 2, 0, 3]])
    both = aggregate([compare(one, one), compare(one, three)])
    assert both.cases == 2
    assert both.mean["ap50"] == pytest.approx((1 + 1 / 3) / 2)
    assert both.pooled["ap50"] == 2 / 4
    assert both.mean["mean_dice"] == pytest.approx((1 + 2 / 4) / 2)
    assert both.pooled["mean_dice"] == 2 * 2 / (2 + 4)


def test_pooled_scores_are_those_of_one_time_series():
    reference = np.stack([objects(0), objects(1)])
    labels = np.stack([shaken(objects(0), 0), shaken(objects(1), 1)])
    whole = compare(Labels(labels, "TYX"), Labels(reference, "TYX"))
    pooled = aggregate([compare(a, b) for a, b in zip(labels, reference, strict=True)]).pooled
    assert pooled == pytest.approx(whole.summary)


def test_classes_of_different_cases_are_pooled_by_label():
    a = Labels(np.array([[1, 1, 2, 0]]), holds="classes")
    b = Labels(np.array([[1, 0, 3, 3]]), holds="classes")
    c = Labels(np.array([[1, 1, 3, 0]]), holds="classes")
    pooled = aggregate([compare(a, a), compare(b, c)]).pooled
    assert pooled["mean_dice"] == pytest.approx(np.mean([6 / 7, 1, 2 / 3]))


def test_bootstrap_intervals_cover_the_score_and_narrow_with_cases():
    cases = [compare(shaken(objects(i), i), objects(i)) for i in range(4)]
    few, many = aggregate(cases), aggregate(cases * 10)
    for kind in ("mean", "pooled"):
        low, high = getattr(few, f"{kind}_interval")["ap50"]
        assert low <= getattr(few, kind)["ap50"] <= high
        narrow = getattr(many, f"{kind}_interval")["ap50"]
        assert narrow[1] - narrow[0] < 0.6 * (high - low)
    assert aggregate(cases) == few
    assert not aggregate(cases[:1]).mean_interval
    json.dumps(few.to_dict(), allow_nan=False)


def test_scores_for_other_thresholds_are_not_joined():
    one = np.array([[1, 0]])
    with pytest.raises(InputError, match="thresholds"):
        aggregate([compare(one, one), compare(one, one, thresholds=(0.5,))])
