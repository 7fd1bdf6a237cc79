"""Boundary-based losses."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from napari_segment.deep.nn import losses as deep_losses

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


def test_hausdorff_by_hand():
    target = torch.zeros(1, 1, 1, 6)
    target[..., :2] = 1
    logits = torch.tensor([30.0, 30, 30, 30, -30, -30]).reshape(1, 1, 1, 6)
    # Voxels 2 and 3 are wrong: 1 and 2 from the true boundary, 2 and 1 from the predicted one.
    wrong = (1**2 + 2**2) + (2**2 + 1**2)
    loss = deep_losses.make(("hausdorff", {"dice_weight": 0}))
    assert float(loss(logits, target)) == pytest.approx(wrong / 6, abs=1e-5)


@pytest.mark.parametrize("name", ["boundary", "hausdorff", "shape_aware", "distance_penalised"])
def test_maps_of_a_case_stand_in_for_the_transform(name):
    target = target_of("classes", 2, "some")
    logits = torch.randn(target.shape, generator=torch.Generator().manual_seed(1))
    loss = deep_losses.make(name)
    maps = np.stack([loss.maps(case.numpy(), (1.0, 1.0)) for case in target])
    assert maps.dtype == np.float32
    torch.testing.assert_close(
        loss(logits, target, maps=torch.from_numpy(maps)), loss(logits, target)
    )
