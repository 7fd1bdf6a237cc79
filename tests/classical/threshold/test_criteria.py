"""The search of the least cost."""

from __future__ import annotations

from napari_segment.classical.threshold.criteria import least


def test_search_of_many_levels_finds_the_least() -> None:
    for count in (1, 7, 1024, 1025, 65_535):
        for target in (0, count // 3, count - 1):
            assert least(lambda k, t=target: abs(k - t), count, grid=64) == target
