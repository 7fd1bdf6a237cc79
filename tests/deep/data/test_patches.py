"""Where patches are drawn."""

import numpy as np

from napari_segment.deep.data.patches import (
    Sample,
    choose_centres,
    cut,
    draw_corner,
    generator,
    order,
)


def test_every_case_comes_up_once_in_an_epoch_of_its_size():
    assert sorted(order(7, 7, 0, 3)) == list(range(7))
    assert order(7, 7, 0, 3) != order(7, 7, 0, 4)
    assert order(7, 20, 5, 1) == order(7, 20, 5, 1)
    assert len(order(3, 10, 0, 0)) == 10


def test_balanced_patches_hold_a_rare_class():
    target = np.zeros((1, 64, 64), np.int16)
    target[0, 40, 50] = 2
    sample = Sample(np.zeros((1, 64, 64), np.float32), target, choose_centres(target, 0))
    for i in range(20):
        corner = draw_corner(sample, (16, 16), 1.0, generator(0, 0, i))
        assert cut(target, corner, (16, 16), outside=-1).max() == 2


def test_centres_come_from_all_slabs_of_a_large_target(monkeypatch):
    from napari_segment.deep.data import patches

    target = np.zeros((1, 40, 30, 30), np.int16)
    target[0, :10], target[0, 30:] = 1, 2
    target[0, 39, 29, 29] = 3
    whole = choose_centres(target, 0)
    monkeypatch.setattr(patches, "slabs", lambda shape: [slice(i, i + 5) for i in range(0, 40, 5)])
    parts = choose_centres(target, 0)
    assert {k: len(v) for k, v in parts.items()} == {k: len(v) for k, v in whole.items()}
    assert all((target[0][tuple(v.T)] == k).all() for k, v in parts.items())
    assert abs(np.mean(parts[1][:, 0] < 5) - 0.5) < 0.1
    assert list(choose_centres(target, 0, together=True)) == [1]


def test_a_small_image_stands_anywhere_in_its_patch():
    sample = Sample(np.zeros((1, 5, 30), np.float32), np.zeros((1, 5, 30), np.int16))
    corners = {draw_corner(sample, (8, 8), 0.5, generator(0, 0, i)) for i in range(60)}
    assert {c[0] for c in corners} == {-3, -2, -1, 0}
    assert {c[1] for c in corners} <= set(range(-1, 24))
