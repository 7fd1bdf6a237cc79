"""Image: intensities, with channels."""

from __future__ import annotations

from dataclasses import dataclass

from napari_segment.errors import InputError
from napari_segment.image.stack import Stack

RGB = ("red", "green", "blue")


@dataclass(frozen=True, eq=False, repr=False)
class Image(Stack):
    """Intensities: an array with axes, spacing, unit and affine.

    Takes the parameters of `Stack`, and ``channels``: the channels' names, such as
    ``("red", "green", "blue")``, which is what makes an image RGB.
    """

    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dtype.kind not in "buif":
            raise InputError(
                f"Pixels of type {self.dtype} cannot be segmented. Give real numbers: bool, "
                "integers or floats (for complex data take np.abs or np.angle first)."
            )
        if self.channels and len(self.channels) != self.size("C"):
            raise InputError(
                f"{len(self.channels)} channel names were given for {self.size('C')} channels."
            )

    def _extra_text(self) -> tuple[str, ...]:
        return (", ".join(self.channels),)

    @property
    def is_rgb(self) -> bool:
        return self.channels[:3] == RGB

    def channel(self, which: int | str) -> Image:
        """Return one channel by index or name; the image itself where it has no channel axis."""
        if "C" not in self.axes:
            if which in (0, "auto"):
                return self
            raise InputError(f"The image has no channels, but channel {which!r} was asked for.")
        return self.replace(channels=()).take("C", self._channel_index(which))

    def _channel_index(self, which: int | str) -> int:
        count = self.size("C")
        if isinstance(which, str) and which in self.channels:
            return self.channels.index(which)
        if isinstance(which, str) and which.lstrip("-").isdigit():
            which = int(which)
        if isinstance(which, int) and -count <= which < count:
            return which % count
        names = f" ({', '.join(self.channels)})" if self.channels else ""
        raise InputError(
            f"There is no channel {which!r}: the image has {count} channels{names}, counted from 0."
        )
