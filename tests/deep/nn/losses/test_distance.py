"""Signed distances to the boundary of masks."""

import numpy as np
import pytest
import torch
from torch.nn import functional

SIZES = {2: (16, 18), 3: (8, 10, 9)}


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


def test_signed_distances_know_the_spacing():
    from napari_segment.deep.nn.losses._distance import signed_distance

    mask = np.zeros((5, 7), bool)
    mask[2, 3] = True
    far = signed_distance(mask, (2.0, 1.0))
    assert far[2].tolist() == [3, 2, 1, -1, 1, 2, 3]
    assert far[:, 3].tolist() == [4, 2, -1, 2, 4]
    assert (signed_distance(np.zeros((4, 6), bool)) == 2).all()
    assert (signed_distance(np.ones((4, 6), bool)) == -2).all()


@pytest.mark.parametrize("size", [(9, 14), (5, 8, 11)])
@pytest.mark.parametrize("finest", [1.0, 0.4])
def test_distances_on_a_device_are_those_of_the_cpu(size, finest, monkeypatch):
    from napari_segment.deep.nn.losses import _distance

    monkeypatch.setattr(_distance, "_AT_ONCE", 300)  # several rounds
    spacing = (2.0, *[1.0] * (len(size) - 2), finest)
    masks = torch.rand(4, *size, generator=torch.Generator().manual_seed(0)) > 0.9
    masks[2], masks[3] = False, True
    relative = tuple(s / min(spacing) for s in spacing)
    expected = np.stack([_distance.signed_distance(m.numpy(), spacing) for m in masks])
    actual = _distance._on_device(masks, relative)
    torch.testing.assert_close(actual, torch.from_numpy(expected))


def test_distances_are_measured_of_counted_classes_only():
    from napari_segment.deep.nn.losses._distance import signed_distances

    masks = target_of("classes", 2, "some") > 0
    both = signed_distances(masks)
    part = signed_distances(masks, background=False)
    assert (part[:, 0] == 0).all()
    assert (part[:, 1:] == both[:, 1:]).all()
    assert (signed_distances(masks[:, :1], background=False) == both[:, :1]).all()
