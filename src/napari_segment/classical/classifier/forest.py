"""Decision forests as plain arrays: fitted by scikit-learn, evaluated and stored by ourselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_segment.blocks.slabs import over_slabs
from napari_segment.errors import FormatError

if TYPE_CHECKING:
    from sklearn.ensemble import RandomForestClassifier

_AT_ONCE = 1 << 14  # lines of a table for one thread


@dataclass(frozen=True, eq=False)
class Forest:
    """A random forest of classification trees.

    Parameters
    ----------
    roots : array (T,) of int32
        First node of each tree.
    feature, threshold, left : array (M,) of int32, float32, int32
        A sample goes to the node `left` where its feature is not above the threshold, else to the
        next one after it. Leaves lead to themselves: their threshold is infinite.
    row : array (M,) of int32
        Of a leaf, its row of `leaves`; 0 of other nodes.
    leaves : array (L, K) of float32
        Class probabilities of the leaves.
    importances : array (F,) of float32
        The mean decrease in impurity that each feature brought; they sum to 1.
    """

    roots: NDArray[np.int32]
    feature: NDArray[np.int32]
    threshold: NDArray[np.float32]
    left: NDArray[np.int32]
    row: NDArray[np.int32]
    leaves: NDArray[np.float32]
    importances: NDArray[np.float32]

    @property
    def classes(self) -> int:
        return int(self.leaves.shape[1])

    @classmethod
    def fit(
        cls,
        table: NDArray[np.float32],
        classes: NDArray[np.int64],
        *,
        trees: int,
        min_leaf: int,
        max_depth: int | None,
        seed: int,
        score: bool = True,
    ) -> tuple[Forest, float | None]:
        """Fit a random forest with scikit-learn, each class weighing the same.

        Parameters
        ----------
        table : array (N, F)
            Features of samples.
        classes : array (N,)
            Their class index, from 0.
        trees, min_leaf, max_depth, seed
            Number of trees, least samples of a leaf, longest path, and the seed.
        score : bool
            Whether the accuracy is wanted, which takes time.

        Returns
        -------
        forest : Forest
        out_of_bag : float or None
            Accuracy of the trees on the samples that they were not fitted to; None where there
            are too few trees for every sample to have some, or it is not wanted.
        """
        from sklearn.ensemble import RandomForestClassifier

        from napari_segment.runtime import threads

        scored = score and trees >= 20
        forest = RandomForestClassifier(
            n_estimators=trees, min_samples_leaf=min_leaf, max_depth=max_depth,
            class_weight="balanced", random_state=seed, n_jobs=threads(), oob_score=scored,
        )  # fmt: skip
        forest.fit(table, classes)
        return cls.of(forest), float(forest.oob_score_) if scored else None

    @classmethod
    def of(cls, forest: RandomForestClassifier) -> Forest:
        """Take the trees of a fitted `sklearn.ensemble.RandomForestClassifier`."""
        nodes: list[tuple[NDArray[Any], ...]] = []
        roots, first, leaf = [], 0, 0
        for estimator in forest.estimators_:
            nodes.append(_laid_out(estimator.tree_, first, leaf))
            roots.append(first)
            first += estimator.tree_.node_count
            leaf += len(nodes[-1][-1])
        feature, threshold, left, row, leaves = (
            np.concatenate(part) for part in zip(*nodes, strict=True)
        )
        importances = np.asarray(forest.feature_importances_, np.float32)
        return cls(np.array(roots, np.int32), feature, threshold, left, row, leaves, importances)

    def probabilities(self, table: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities (N, K) of samples with features (N, F), in threads."""
        from napari_segment.classical.classifier.forest_kernels import probabilities

        table = np.ascontiguousarray(table, np.float32)
        out = np.empty((len(table), self.classes), np.float32)
        whole = (a.view(np.uint32) for a in (self.roots, self.feature, self.left, self.row))
        roots, feature, left, row = whole
        nodes = (roots, feature, self.threshold, left, row, self.leaves)

        def part(start: int, stop: int) -> None:
            probabilities(table[start:stop], *nodes, out[start:stop])

        over_slabs(part, len(table), _AT_ONCE)
        return out

    # ---- in and out ----

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All arrays by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], source: str) -> Forest:
        """Make a forest of stored arrays, and make sure that every path in it ends.

        Raises
        ------
        FormatError
            If an array is missing, of the wrong type, or leads nowhere.
        """
        types = {f.name: np.float32 if f.name in _FLOATS else np.int32 for f in fields(cls)}
        if set(arrays) != set(types) or any(arrays[n].dtype != t for n, t in types.items()):
            raise FormatError(f"{source} holds no forest: its arrays have other names or types.")
        forest = cls(**{name: np.ascontiguousarray(arrays[name]) for name in types})
        if not forest._is_sound():
            raise FormatError(f"{source} is damaged: the nodes of its trees lead nowhere.")
        return forest

    def _is_sound(self) -> bool:
        """Whether every path stays inside the arrays and ends at a leaf."""
        count = len(self.feature)
        same = {len(a) for a in (self.threshold, self.left, self.row)} == {count}
        if self.leaves.ndim != 2 or not same or not count:
            return False
        leaf = self.left == np.arange(count)
        inside = [
            (self.roots, count), (self.left, count - (~leaf).astype(int)),
            (self.feature, len(self.importances)), (self.row, len(self.leaves)),
        ]  # fmt: skip
        bounded = all(bool(((a >= 0) & (a < n)).all()) for a, n in inside)
        ends = bool(np.isposinf(self.threshold[leaf]).all())
        onward = bool((self.left[~leaf] > np.flatnonzero(~leaf)).all())
        return bounded and ends and onward and bool(self.roots.size)


class _Tree(Protocol):
    """What is taken of a fitted tree of scikit-learn."""

    node_count: int
    children_left: NDArray[np.int64]
    children_right: NDArray[np.int64]
    feature: NDArray[np.int64]
    threshold: NDArray[np.float64]
    value: NDArray[np.float64]


_FLOATS = ("threshold", "leaves", "importances")


def _laid_out(tree: _Tree, first: int, leaf: int) -> tuple[NDArray[Any], ...]:
    """Feature, threshold, left child, row and leaves of a tree, level by level.

    Two children follow each other, the left one first.
    """
    order, position = _breadth_first(tree.children_left, tree.children_right)
    inner = tree.children_left[order] >= 0
    left = first + np.arange(tree.node_count)
    left[inner] = first + position[tree.children_left[order][inner]]
    feature = np.where(inner, tree.feature[order], 0)
    threshold = np.where(inner, tree.threshold[order], np.inf)
    row = np.zeros(tree.node_count, np.int32)
    row[~inner] = leaf + np.arange((~inner).sum())
    values = tree.value[order][~inner, 0]
    leaves = (values / values.sum(1, keepdims=True)).astype(np.float32)
    return (
        feature.astype(np.int32), _not_above(threshold), left.astype(np.int32), row, leaves,
    )  # fmt: skip


def _breadth_first(
    left: NDArray[Any], right: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Nodes of a tree level by level, and the position of each node in that order."""
    order, level = [], [0]
    while level:
        order += level
        level = [int(child[n]) for n in level if left[n] >= 0 for child in (left, right)]
    position = np.empty(len(order), np.int64)
    position[order] = np.arange(len(order))
    return np.array(order), position


def _not_above(threshold: NDArray[np.float64]) -> NDArray[np.float32]:
    """The largest float32 not above each threshold: no float32 lies between the two."""
    near = threshold.astype(np.float32)
    return np.where(near > threshold, np.nextafter(near, np.float32(-np.inf)), near)
