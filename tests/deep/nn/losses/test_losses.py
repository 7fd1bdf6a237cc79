"""Every loss keeps the contract, and its numbers are those of the hand and of other libraries."""

import math
from itertools import product

import pytest
import torch
from torch.nn import functional

from napari_segment.deep.nn import losses as deep_losses
from napari_segment.deep.planning.label_semantics import Objects
from napari_segment.errors import InputError, SettingError
from napari_segment.registry import losses

NAMES = sorted(losses)

SIZES = {2: (16, 18), 3: (8, 10, 9)}

PROBLEMS = ("binary", "classes", "labels")

FILLS = ("some", "empty", "full")


def target_of(problem, ndim, fill):
    """A target (2, C, *S): a box in each sample, nothing, or everything."""
    size = SIZES[ndim]
    box = tuple(slice(n // 4, n // 4 + n // 2) for n in size)
    labels = torch.zeros(2, *size, dtype=torch.long)
    if fill == "some":
        labels[(slice(None), *box)] = 1
        if problem == "classes":
            labels[(slice(None), *(slice(0, 3) for _ in size))] = 2
    elif fill == "full":
        labels[:] = 1
    if problem == "binary":
        return labels[:, None].float()
    if problem == "classes":
        return functional.one_hot(labels, 3).movedim(-1, 1).float()
    return torch.stack([(labels == 1).float(), (labels > 0).float()], 1)


def logits_for(target, scale=12.0):
    if target.shape[1] == 1:
        return (target * 2 - 1) * scale
    return (target - 0.5) * 2 * scale


def made(name, problem):
    loss = deep_losses.make(name)
    return deep_losses.multilabel(loss) if problem == "labels" else loss


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("ndim", [2, 3])
def test_contract(name, problem, ndim):
    loss = made(name, problem)
    for fill, unlabelled in product(FILLS, (False, True)):
        target = target_of(problem, ndim, fill)
        wrong_logits = logits_for(_shuffled(target))
        if unlabelled:
            target[:, :, : target.shape[2] // 2 + 1] = -1
        values = []
        for start in (logits_for(target.clamp(min=0)), wrong_logits, torch.zeros_like(target)):
            logits = start.clone().requires_grad_()
            value = loss(logits, target)
            value.backward()
            assert value.shape == ()
            assert value.dtype == torch.float32
            assert torch.isfinite(value), (fill, unlabelled)
            assert torch.isfinite(logits.grad).all(), (fill, unlabelled)
            if unlabelled:
                assert (logits.grad[target < 0] == 0).all()
            values.append(float(value.detach()))
        right, wrong, undecided = values
        assert right < wrong, (fill, unlabelled, values)
        assert right < undecided + 1e-6, (fill, unlabelled, values)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("problem", PROBLEMS)
@pytest.mark.parametrize("ndim", [2, 3])
def test_a_perfect_prediction_is_near_the_minimum(name, problem, ndim):
    """Surer answers win next to nothing more, and there is next to no slope left."""
    loss = made(name, problem)
    for fill in FILLS:
        target = target_of(problem, ndim, fill)
        logits = logits_for(target, 20.0).requires_grad_()
        right = loss(logits, target)
        right.backward()
        right = right.detach()
        surest = loss(logits_for(target, 40.0), target)
        wrong = loss(logits_for(_shuffled(target)), target)
        assert float(right - surest) < 0.02 * float(wrong - surest), fill
        assert float(logits.grad.abs().sum()) < 0.05, fill


def _shuffled(target):
    """Every voxel given to another class."""
    return target.roll(1, 1) if target.shape[1] == 3 else 1 - target


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_nothing_labelled_is_finite(name, problem):
    target = torch.full_like(target_of(problem, 2, "some"), -1.0)
    logits = torch.randn(target.shape, requires_grad=True)
    value = made(name, problem)(logits, target)
    value.backward()
    assert torch.isfinite(value)
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_half_precision_is_left(name):
    target = target_of("classes", 2, "some")
    logits = torch.randn(target.shape, generator=torch.Generator().manual_seed(0)) * 3
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = made(name, "classes")(logits.bfloat16(), target)
    assert half.dtype == torch.float32
    torch.testing.assert_close(half, made(name, "classes")(logits.bfloat16().float(), target))


def test_shapes_must_agree():
    with pytest.raises(InputError, match="one shape"):
        deep_losses.make("dice")(torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 4, 5))


def test_class_weights_are_one_for_each_class():
    loss = deep_losses.make(("cross_entropy", {"class_weights": [1, 2]}))
    with pytest.raises(SettingError, match="3 classes"):
        loss(torch.zeros(1, 3, 2, 2), torch.zeros(1, 3, 2, 2))


# Four voxels with probabilities 1/2, 3/4, 1/4, 1/5; the first two are foreground.
LOGITS = torch.tensor([0.0, math.log(3), -math.log(3), -math.log(4)]).reshape(1, 1, 2, 2)

TARGET = torch.tensor([1.0, 1.0, 0.0, 0.0]).reshape(1, 1, 2, 2)

TP, FP, FN, TN = 1.25, 0.45, 0.75, 1.55

CE = -(math.log(0.5) + math.log(0.75) + math.log(0.75) + math.log(0.8)) / 4

DICE = 1 - (2 * TP + 1) / (1.7 + 2 + 1)

HAND = [
    ("bce", {}, CE),
    ("cross_entropy", {}, CE),
    ("weighted_bce", {"beta": 3}, CE - 2 * (math.log(0.5) + math.log(0.75)) / 4),
    ("balanced_bce", {}, CE / 2),
    ("focal", {"gamma": 0}, CE / 2),
    (
        "focal",
        {"gamma": 2, "alpha": 0.25},
        -(
            0.25 * (0.25 * math.log(0.5) + 0.0625 * math.log(0.75))
            + 0.75 * (0.0625 * math.log(0.75) + 0.04 * math.log(0.8))
        )
        / 4,
    ),
    ("topk", {"fraction": 0.25}, math.log(2)),
    ("mse", {}, (0.25 + 0.0625 + 0.0625 + 0.04) / 4),
    ("dice", {}, DICE),
    ("squared_dice", {}, 1 - (2 * TP + 1) / (0.25 + 0.5625 + 0.0625 + 0.04 + 2 + 1)),
    ("iou", {}, 1 - (TP + 1) / (TP + FP + FN + 1)),
    ("tversky", {"alpha": 0.5, "beta": 0.5}, 1 - (TP + 1) / (TP + 0.6 + 1)),
    ("tversky", {"alpha": 1, "beta": 0, "smooth": 1e-6}, 1 - TP / 1.7),
    ("focal_tversky", {"alpha": 0.5, "beta": 0.5, "gamma": 2}, math.sqrt(1 - (TP + 1) / 2.85)),
    ("sensitivity_specificity", {"ratio": 0.5}, (0.3125 / 2 + 0.1025 / 2) / 2),
    ("generalized_dice", {"smooth": 0}, 1 - 2 * (TP + TN) / (2 * 4)),
    ("iou_balanced", {"smooth": 0}, 1 - (TP + TN) / (TP + TN + 2 * (FP + FN))),
    (
        "mcc",
        {"smooth": 1e-6},
        1 - (TP * TN - FP * FN) / math.sqrt((TP + FP) * (TP + FN) * (TN + FP) * (TN + FN)),
    ),
    ("dice_ce", {"ce_weight": 2}, DICE + 2 * CE),
    ("dice_bce", {}, DICE + CE),
    ("combo", {}, CE / 4 + DICE / 2),
    ("active_contour", {"length_weight": 0}, (0.5 + 0.25 + 0.25 + 0.2) / 4),
    # Distances: +1 on the background row, -1 on the foreground row.
    ("boundary", {"dice_weight": 0}, (0.45 - 1.25) / 4),
    ("distance_penalised", {"width": 2, "strength": 2}, 2 * CE),
    (
        "asymmetric_focal",
        {"delta": 0.6, "gamma": 1},
        -(
            0.6 * (math.log(0.5) + math.log(0.75))
            + 0.4 * (0.25 * math.log(0.75) + 0.2 * math.log(0.8))
        )
        / 4,
    ),
    (
        "exp_log",
        {"dice_weight": 0, "gamma": 1},
        CE,
    ),
    ("exp_log", {"dice_weight": 1, "gamma": 1}, -math.log(1 - DICE)),
]


@pytest.mark.parametrize(("name", "settings", "value"), HAND)
def test_by_hand(name, settings, value):
    actual = deep_losses.make((name, settings))(LOGITS, TARGET)
    assert float(actual) == pytest.approx(value, abs=2e-5)


def test_unlabelled_voxels_change_nothing():
    wide = torch.cat([LOGITS, torch.full((1, 1, 2, 2), 5.0)], 2)
    marked = torch.cat([TARGET, torch.full((1, 1, 2, 2), -1.0)], 2)
    for name in sorted(set(NAMES) - {"boundary", "hausdorff", "dice_boundary", "cldice"}):
        loss = deep_losses.make(name)
        if name == "active_contour":
            loss = deep_losses.make((name, {"length_weight": 0}))
        torch.testing.assert_close(loss(wide, marked), loss(LOGITS, TARGET), msg=name)


@pytest.fixture(scope="module")
def classes():
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 4, 7, 9, 5, generator=generator)
    labels = torch.randint(0, 4, (2, 7, 9, 5), generator=generator)
    return logits, functional.one_hot(labels, 4).movedim(-1, 1).float(), labels


def ours(name, logits, target, **settings):
    return deep_losses.make((name, settings))(logits, target)


def test_torch_agrees(classes):
    logits, target, labels = classes
    weights = [0.5, 1.0, 2.0, 3.0]
    expected = functional.cross_entropy(logits, labels, torch.tensor(weights))
    torch.testing.assert_close(
        ours("cross_entropy", logits, target, class_weights=weights), expected
    )
    expected = functional.cross_entropy(logits, labels, label_smoothing=0.2)
    torch.testing.assert_close(ours("cross_entropy", logits, target, label_smoothing=0.2), expected)


def test_monai_agrees(classes):
    from monai import losses as monai

    logits, target, _ = classes
    half, mask = logits[:, :1], target[:, 1:2]
    soft = {"softmax": True, "smooth_nr": 1.0, "smooth_dr": 1.0}
    pairs = [
        (monai.DiceLoss(**soft), "dice", {"background": True}),
        (monai.DiceLoss(include_background=False, **soft), "dice", {}),
        (monai.DiceLoss(batch=True, **soft), "dice", {"background": True, "batch": True}),
        (monai.DiceLoss(squared_pred=True, **soft), "squared_dice", {"background": True}),
        (
            monai.TverskyLoss(softmax=True, alpha=0.2, beta=0.8, smooth_nr=1, smooth_dr=1),
            "tversky",
            {"alpha": 0.2, "beta": 0.8, "background": True},
        ),
        (
            monai.GeneralizedDiceLoss(softmax=True, smooth_nr=0, smooth_dr=0),
            "generalized_dice",
            {"smooth": 0},
        ),
        (monai.FocalLoss(use_softmax=True, alpha=0.25, gamma=2), "focal", {"alpha": 0.25}),
        (
            monai.HausdorffDTLoss(softmax=True, include_background=True),
            "hausdorff",
            {"dice_weight": 0, "background": True},
        ),
    ]
    for theirs, name, settings in pairs:
        expected = theirs(logits, target)
        if name == "focal":
            expected = expected * 4  # they divide by the channels
        torch.testing.assert_close(ours(name, logits, target, **settings), expected, msg=name)
    expected = monai.FocalLoss(alpha=0.25, gamma=1.5)(half, mask)
    torch.testing.assert_close(ours("focal", half, mask, alpha=0.25, gamma=1.5), expected)
    expected = monai.MCCLoss(sigmoid=True, smooth_nr=0, smooth_dr=0)(half, mask)
    torch.testing.assert_close(ours("mcc", half, mask, smooth=1e-5), expected, rtol=1e-4, atol=1e-4)


def test_monai_agrees_on_skeletons():
    from monai.losses.cldice import soft_skel

    from napari_segment.deep.nn.losses._topology import soft_skeleton

    for shape in ((1, 2, 20, 21), (1, 1, 9, 10, 11)):
        values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        torch.testing.assert_close(soft_skeleton(values, 4), soft_skel(values, 4))


def test_smp_agrees(classes):
    from segmentation_models_pytorch import losses as smp

    logits, target, labels = (x[..., 0] for x in classes)
    half, mask = logits[:, :1], target[:, 1:2]
    torch.testing.assert_close(
        ours("lovasz", logits, target), smp.LovaszLoss("multiclass", per_image=True)(logits, labels)
    )
    torch.testing.assert_close(
        ours("lovasz", half, mask), smp.LovaszLoss("binary", per_image=True)(half, mask)
    )
    expected = smp.JaccardLoss("multiclass", smooth=1.0)(logits, labels)
    actual = ours("iou", logits, target, background=True, batch=True)
    torch.testing.assert_close(actual, expected, rtol=1e-3, atol=1e-3)
    expected = smp.DiceLoss("binary", smooth=0.5)(half, mask)  # theirs is doubled
    torch.testing.assert_close(ours("dice", half, mask, batch=True), expected, rtol=1e-3, atol=1e-3)


def test_a_loss_of_ten_lines_works_everywhere():
    before = losses.snapshot()
    try:

        @losses.add("third_party_mae", title="Mean absolute error")
        def mae(*, scale: float = 1.0):
            """Mean absolute error of the probabilities."""

            def loss(logits, target):
                known = (target >= 0).all(1, keepdim=True)
                error = (logits.sigmoid() - target).abs() * known
                return scale * error.sum() / known.sum()

            return loss

        spec = {"name": "third_party_mae", "settings": {"scale": "2"}}
        actual = deep_losses.make(("compound", {"parts": [spec], "weights": [0.5]}))(LOGITS, TARGET)
        assert float(actual) == pytest.approx((0.5 + 0.25 + 0.25 + 0.2) / 4)
        assert losses["third_party_mae"].schema()["properties"]["scale"]["default"] == 1.0
    finally:
        losses.restore(before)


def test_flow_is_learnt_as_it_is():
    """The loss is least where the probability is the measured value; unknown voxels don't count."""
    objects = Objects(target="flow")
    loss = deep_losses.of_objects(deep_losses.make("dice_ce"), objects.target)
    count = objects.outputs(2)
    wanted = torch.full((1, count, 4, 4), 0.3)
    wanted[:, 0] = 1
    wanted[:, 1:, 0] = -1
    logits = torch.full_like(wanted, 30.0)
    logits[:, 1:] = torch.tensor(0.3).logit()
    logits[:, 1:, 0] = 50.0
    logits.requires_grad_()
    loss(logits, wanted).backward()
    assert logits.grad[:, 1:].abs().max() < 1e-6
    assert loss(logits + torch.tensor([0.0, *[0.5] * (count - 1)])[:, None, None], wanted) > loss(
        logits, wanted
    )


@pytest.mark.parametrize("target", ["distance", "border", "seeds"])
def test_other_maps_are_learnt_by_the_chosen_loss(target):
    chosen = deep_losses.make("dice")
    logits, wanted = torch.randn(1, 2, 5, 5), torch.rand(1, 2, 5, 5).round()
    both = deep_losses.of_objects(chosen, target)(logits, wanted)
    assert both == deep_losses.multilabel(chosen)(logits, wanted)
