"""Weights of TotalSegmentator: https://github.com/wasserth/TotalSegmentator"""

from napari_segment.exchange.totalsegmentator.method import totalsegmentator
from napari_segment.exchange.totalsegmentator.tasks import TASKS, Task

__all__ = ["TASKS", "Task", "totalsegmentator"]
