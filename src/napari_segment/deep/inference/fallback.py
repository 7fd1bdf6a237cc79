"""What to give up, step by step, when the memory does not suffice."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_segment.errors import SegmentError

_SMALLEST_SIDE = 32


class MemoryShortError(SegmentError, MemoryError):
    """Not even the smallest way to compute something fits into memory."""


@dataclass
class MemoryFallback:
    """How tiles are computed at present, and the next cheaper way.

    The rungs, from fast to frugal: fewer tiles at once, parts of a tile one after the other,
    blending in the computer's memory, everything on the CPU.

    Parameters
    ----------
    batch : int
        Tiles that go through the network at once.
    tile : tuple of int
        Their size.
    device : str
        Where the network runs.
    blend : str
        Where tiles are blended; empty for the network's device.
    smallest : int
        Parts of tiles have no shorter side than this.
    """

    batch: int
    tile: tuple[int, ...]
    device: str
    blend: str = ""
    smallest: int = _SMALLEST_SIDE
    part: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.part = self.tile
        self.blend = self.blend or self.device

    def down(self) -> str:
        """Take the next rung after the network ran out of memory.

        Returns
        -------
        str
            What is done from now on, as a sentence.

        Raises
        ------
        MemoryShortError
            When nothing is left to fall back to.
        """
        short = f"Out of memory on {self.device}"
        if self.batch > 1:
            self.batch //= 2
            return f"{short}: going on with {self.batch} tile(s) at once."
        if self._halve():
            sides = " × ".join(map(str, self.part))
            return f"{short}: going on with parts of {sides} voxels; seams may differ slightly."
        if self.blend != "cpu":
            return f"{short}: {self.blend_on_cpu()}"
        if self.device != "cpu":
            self.device, self.part = "cpu", self.tile
            return f"{short}: going on on the CPU, which is slower."
        raise MemoryShortError(
            f"The network needs more memory than there is, even for {self.part} voxels at once. "
            "Close other programs, or use a smaller network."
        )

    def blend_on_cpu(self) -> str:
        """Take the rung after the blending ran out of memory."""
        if self.blend == "cpu":
            raise MemoryShortError(
                "The tiles cannot be blended in the memory there is. Give a region, a smaller "
                "tile, or close other programs."
            )
        self.blend = "cpu"
        return "going on with tiles blended in the computer's memory."

    def _halve(self) -> bool:
        """Halve the longest side, or say that no side is long enough."""
        longest = max(range(len(self.part)), key=lambda a: self.part[a])
        half = -(-self.part[longest] // 2)
        if half < self.smallest:
            return False
        self.part = (*self.part[:longest], half, *self.part[longest + 1 :])
        return True
