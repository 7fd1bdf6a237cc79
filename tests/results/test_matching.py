"""Optimal assignment of pairs."""

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from napari_segment.results.matching import best_matching


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
