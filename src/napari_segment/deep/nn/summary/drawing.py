"""Draw a network: boxes for runs of layers, the lower the coarser, arrows for what flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log2, prod
from pathlib import Path
from typing import TYPE_CHECKING

from napari_segment.deep.nn.summary.layer import Layer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1.0, 0.62
_PLAIN = {"boxstyle": "round", "facecolor": "white", "edgecolor": "#222222"}
_COLOURS = {"down": "#4477aa", "same": "#bbccee", "up": "#66ccee", "last": "#ee6677"}


@dataclass
class Block:
    """A run of layers at one size."""

    layers: list[Layer]
    inputs: set[int] = field(default_factory=set)
    level: float = 0.0

    @property
    def shape(self) -> tuple[int, ...]:
        return self.layers[-1].shape

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for layer in self.layers)


def blocks(layers: Sequence[Layer], size: Sequence[int]) -> list[Block]:
    """Join consecutive layers of one output size that nothing else branches off.

    Parameters
    ----------
    layers : sequence of Layer
        In the order in which they run.
    size : sequence of int
        ``(batch, channels, *S)`` of the network's input.

    Returns
    -------
    list of Block
        In order; ``level`` is the number of times the sides are halved.
    """
    used = Counter(i for layer in layers for i in layer.inputs)
    joined: list[Block] = []
    block_of: dict[int, int] = {-1: -1}
    for position, layer in enumerate(layers):
        before = layer.inputs[0] if len(layer.inputs) == 1 else -1
        if before >= 0 and used[before] == 1 and joined[block_of[before]].layers[-1] is (
            layers[before]
        ) and layers[before].shape[1:] == layer.shape[1:]:  # fmt: skip
            joined[block_of[before]].layers.append(layer)
            block_of[position] = block_of[before]
            continue
        block_of[position] = len(joined)
        joined.append(Block([layer], {block_of[i] for i in layer.inputs}))
    for block in joined:
        block.level = _level(block.shape, size)
    return joined


def draw(layers: Sequence[Layer], size: Sequence[int], title: str, path: Path) -> Path:
    """Draw the blocks of layers into a file, whose suffix is its format."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    boxes = blocks(layers, size)
    deepest = max((b.level for b in boxes), default=0)
    figure = Figure(figsize=(min(2 + 1.25 * len(boxes), 120), 2.2 + 1.15 * deepest))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.01, 0.02, 0.98, 0.9))
    for position, block in enumerate(boxes):
        _box(axes, block, position, boxes)
        for source in sorted(block.inputs):
            _arrow(axes, source, position, boxes)
    sides = " × ".join(map(str, size[1:]))
    axes.text(-1.25, 0, f"image\n{sides}", ha="center", va="center", size=6, bbox=_PLAIN)
    axes.set(xlim=(-2, len(boxes) * 1.25), ylim=(-deepest - 0.9, 1.6))
    axes.set_title(title, loc="left", size=9)
    axes.axis("off")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=100)
    return path


def _level(shape: Sequence[int], size: Sequence[int]) -> float:
    sides = shape[1:]
    if len(sides) != len(size) - 2:
        return log2(max(size[2:]))  # tokens or vectors: no size of their own
    ratio = prod(size[2:]) / max(prod(sides), 1)
    return max(0.0, log2(ratio) / len(sides))


def _box(axes: Axes, block: Block, position: int, boxes: list[Block]) -> None:
    from matplotlib.patches import FancyBboxPatch

    before = max((boxes[i].level for i in block.inputs if i >= 0), default=0)
    kind = "down" if block.level > before else "up" if block.level < before else "same"
    if position == len(boxes) - 1:
        kind = "last"
    x, y = position * 1.25, -block.level
    axes.add_patch(
        FancyBboxPatch(
            (x - WIDTH / 2, y - HEIGHT / 2), WIDTH, HEIGHT,
            boxstyle="round,pad=0.02", facecolor=_COLOURS[kind], edgecolor="#222222",
        )
    )  # fmt: skip
    kinds = Counter(layer.kind for layer in block.layers)
    lines = [f"{n}× {k}" if n > 1 else k for k, n in kinds.most_common(3)]
    lines.append(" × ".join(map(str, block.shape)))
    if block.parameters:
        lines.append(f"{block.parameters:,}")
    ink = "white" if kind == "down" else "black"
    axes.text(x, y, "\n".join(lines), ha="center", va="center", size=5.2, color=ink)


def _arrow(axes: Axes, source: int, position: int, boxes: list[Block]) -> None:
    start = (source * 1.25, -boxes[source].level) if source >= 0 else (-1.25, 0.0)
    end = (position * 1.25, -boxes[position].level)
    skips = position - source > 1
    axes.annotate(
        "", xytext=start, xy=end, zorder=0,
        arrowprops={
            "arrowstyle": "-|>", "color": "#999999" if skips else "#222222",
            "lw": 1.0, "shrinkA": 22, "shrinkB": 26,
            "connectionstyle": "arc3,rad=-0.18" if skips else "arc3",
        },
    )  # fmt: skip
