"""Fallbacks for a run whose memory does not suffice, one after the other."""

from __future__ import annotations

from dataclasses import dataclass, field

from napari_segment.errors import MemoryShortError

_MIN_SIDE = 32


@dataclass
class MemoryFallback:
    """The present way to compute tiles, and the next one that needs less memory.

    The fallbacks, in order: fewer tiles at once, parts of a tile one after the other,
    blending in the computer's memory, everything on the CPU.

    Parameters
    ----------
    batch : int
        Tiles that go through the network at once.
    tile : tuple of int
        Their size.
    device : str
        Device of the network.
    blend : str
        Device on which tiles are blended; empty for the network's device.
    min_side : int
        Smallest side of a part of a tile, in voxels.
    """

    batch: int
    tile: tuple[int, ...]
    device: str
    blend: str = ""
    min_side: int = _MIN_SIDE
    part: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.part = self.tile
        self.blend = self.blend or self.device

    def reduce(self) -> str:
        """Take the next fallback after the network ran out of memory.

        Returns
        -------
        str
            A message that says what is done from now on.

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
        """Blend on the CPU after the blending ran out of memory."""
        if self.blend == "cpu":
            raise MemoryShortError(
                "The tiles cannot be blended in the memory there is. Give a region, a smaller "
                "tile, or close other programs."
            )
        self.blend = "cpu"
        return "going on with tiles blended in the computer's memory."

    def _halve(self) -> bool:
        """Halve the longest side of the parts; False where no side is long enough."""
        longest = max(range(len(self.part)), key=lambda a: self.part[a])
        half = -(-self.part[longest] // 2)
        if half < self.min_side:
            return False
        self.part = (*self.part[:longest], half, *self.part[longest + 1 :])
        return True


def initial_fallbacks(tile: tuple[int, ...], batch: int, device: str) -> list[MemoryFallback]:
    """Return the first state for each of some devices ("cuda:0,cuda:1"): all on the device."""
    from napari_segment.deep.device import resolve

    names = [name.strip() for name in device.split(",") if name.strip()] or ["auto"]
    return [MemoryFallback(max(batch, 1), tile, str(resolve(name))) for name in names]
