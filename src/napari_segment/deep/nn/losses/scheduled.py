"""Compound losses whose weights move as training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from napari_segment.deep.nn.losses._types import Fraction, IncludeBackground, Smooth, Spacing
from napari_segment.errors import SettingError
from napari_segment.recipe import Spec
from napari_segment.registry import Of, losses

if TYPE_CHECKING:
    from napari_segment.deep.nn.losses._base import Loss


@losses.add("dice_boundary", title="Dice, then boundary", group="compound")
def dice_boundary(
    *,
    initial_weight: Fraction = 0.01,
    final_weight: Fraction = 0.9,
    smooth: Smooth = 1.0,
    background: IncludeBackground = False,
    spacing: Spacing = (),
) -> Loss:
    """Dice that gives way to the boundary loss as training goes on.

    The boundary's weight grows from `initial_weight` to `final_weight`; Dice has the rest.

    Parameters
    ----------
    initial_weight : float
        Weight of the boundary at the start.
    final_weight : float
        Weight of the boundary at the end.

    References
    ----------
    .. [1] Kervadec et al. (2021), Boundary loss for highly unbalanced segmentation.
       :doi:`10.1016/j.media.2020.101851`
    """
    from napari_segment.deep.nn.losses._boundary import Boundary
    from napari_segment.deep.nn.losses._compound import Scheduled
    from napari_segment.deep.nn.losses.region import dice

    parts = dice(smooth=smooth, background=background), Boundary(background, spacing)
    return Scheduled(parts, (1 - initial_weight, initial_weight), (1 - final_weight, final_weight))


@losses.add("compound", title="Any sum", group="compound")
def compound(
    *,
    parts: tuple[Annotated[Spec, Of(losses)], ...] = (
        Spec(name="dice"),
        Spec(name="cross_entropy"),
    ),
    weights: tuple[float, ...] = (),
    final_weights: tuple[float, ...] = (),
    schedule: Literal["linear", "cosine"] = "linear",
) -> Loss:
    """A weighted sum of any losses; the weights may move as training goes on.

    Parameters
    ----------
    parts : tuple of Spec
        The losses.
    weights : tuple of float
        One for each; empty for 1 each.
    final_weights : tuple of float
        The weights at the end of training; empty to keep them.
    schedule : {"linear", "cosine"}
        How the weights move from the first to the last.
    """
    from napari_segment.deep.nn.losses._compound import Scheduled

    if not parts:
        raise SettingError("A compound loss needs at least one part, such as 'dice'.")
    first = weights or (1.0,) * len(parts)
    last = final_weights or first
    for name, given in (("weights", first), ("final_weights", last)):
        if len(given) != len(parts):
            raise SettingError(
                f"The setting {name!r} has {len(given)} numbers for {len(parts)} losses. Give one "
                "for each, or none."
            )
    made = [losses.make(part) for part in parts]
    return Scheduled(made, first, last, cosine=schedule == "cosine")
