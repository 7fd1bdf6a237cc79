"""Anatomical orientation of arrays, against nibabel."""

from itertools import permutations, product

import numpy as np
import pytest

from napari_segment.image import Image, orientation_of, reoriented, turn_between

CODES = [
    "".join(pair[i] for pair, i in zip(order, ends, strict=True))
    for order in permutations(("SI", "AP", "RL"))
    for ends in product((0, 1), repeat=3)
]


@pytest.mark.parametrize("code", CODES)
def test_letters_are_those_of_nibabel(code):
    nib = pytest.importorskip("nibabel")
    letters = code[::-1]  # nibabel counts axes from X
    matrix = np.eye(4)
    for column, letter in enumerate(letters):
        row = ["RL", "AP", "SI"].index(next(p for p in ("RL", "AP", "SI") if letter in p))
        matrix[:3, column] = 0
        matrix[row, column] = 1 if letter in "RAS" else -1
    oblique = _slightly_turned() @ matrix
    flip = [2, 1, 0, 3]
    affine = oblique[np.ix_(flip, flip)]
    assert "".join(nib.aff2axcodes(oblique)) == letters
    assert orientation_of(Image(np.zeros((6, 5, 4)), "ZYX", affine=affine)) == code


def _slightly_turned():
    angle = np.deg2rad(10)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return turn


@pytest.mark.parametrize("code", CODES)
def test_a_turn_and_its_inverse_give_the_array_again(code):
    array = np.arange(2 * 4 * 5 * 6).reshape(2, 4, 5, 6)
    turn = turn_between("SAR", code)
    assert turn is not None
    np.testing.assert_array_equal(turn.inverse().apply(turn.apply(array)), array)
    box = {"label": np.array([1]), "score": np.array([0.5])} | {
        f"bbox_{a}_{e}": np.array([n])
        for a, ends in zip("zyx", ((1, 3), (0, 2), (4, 6)), strict=True)
        for e, n in zip(("start", "stop"), ends, strict=True)
    }
    turned = turn.boxes(box, (4, 5, 6), "ZYX")
    shape = turn.permute((4, 5, 6))
    back = turn.inverse().boxes(turned, shape, "ZYX")
    assert {k: v.tolist() for k, v in back.items()} == {k: v.tolist() for k, v in box.items()}
    window = tuple(slice(turned[f"bbox_{a}_start"][0], turned[f"bbox_{a}_stop"][0]) for a in "zyx")
    np.testing.assert_array_equal(
        np.sort(turn.apply(array)[(0, *window)], axis=None),
        np.sort(array[0, 1:3, 0:2, 4:6], axis=None),
    )


@pytest.mark.parametrize("code", CODES)
def test_a_reoriented_image_lies_where_it_lay(code):
    affine = np.diag([3.0, 2, 1, 1])
    affine[:3, 3] = [10, 20, 30]
    image = Image(np.arange(60).reshape(3, 4, 5), "ZYX", affine=affine)
    turned = reoriented(image, code)
    assert orientation_of(turned) == code
    index = np.array([1, 2, 0, 1.0])
    value = turned.data[1, 2, 0]
    position = turned.affine @ index
    own = np.linalg.solve(image.affine, position)[:3].round().astype(int)
    assert image.data[tuple(own)] == value
    np.testing.assert_allclose(turned.spacing, np.linalg.norm(turned.affine[:3, :3], axis=0))


def test_without_an_affine_nothing_is_turned():
    image = Image(np.zeros((3, 4, 5)), "ZYX")
    assert orientation_of(image) == ""
    assert reoriented(image, "SPL") is image


def test_planes_and_volumes_have_no_turn_between_them():
    assert turn_between("SAR", "AR") is None
    assert turn_between("AR", "PR").reverse == (True, False)
