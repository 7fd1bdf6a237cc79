"""Models: networks from pixels to raw logits, one contract for all.

An entry is a function ``(channels_in, channels_out, ndim, *, settings) -> torch.nn.Module``. What
must be known of a network, it says as plain attributes of the module that it returns:

``stride`` : int or tuple of int
    What every side of the input must be a multiple of (default 1).
``least`` : int or tuple of int
    The smallest side that it can take (default 1).
``supervised`` : bool
    In training mode it returns several outputs, the finest logits first (default False).
``encoder`` : torch.nn.Module
    The part that was trained before, which `frozen_epochs` is about.
``frozen_epochs`` : int
    For how many epochs the encoder keeps its weights; -1 for all of them (default 0).
``auxiliary(outputs, target)`` : method
    Further terms of the training loss, from all outputs; the loss then takes the first alone.

`build` puts the module into the one wrapper that reads them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_segment.deep.nn.models import fastfcn as fastfcn
from napari_segment.deep.nn.models import gated_scnn as gated_scnn
from napari_segment.deep.nn.models import monai as monai
from napari_segment.deep.nn.models import smp as smp
from napari_segment.deep.nn.models import textbook as textbook
from napari_segment.deep.nn.models import torchvision as torchvision
from napari_segment.deep.nn.models.smp import encoder_weights, encoders
from napari_segment.errors import SettingError
from napari_segment.recipe import Spec, SpecLike
from napari_segment.registry import models

if TYPE_CHECKING:
    from napari_segment.deep.nn.models._segmenter import Segmenter

__all__ = ["build", "encoder_weights", "encoders"]


def build(
    spec: SpecLike, channels_in: int, channels_out: int, ndim: int, *, pretrained: bool = True
) -> Segmenter:
    """Build a network that takes any spatial size and gives raw logits of that size.

    Parameters
    ----------
    spec : Spec, str, pair or mapping
        The model's name, with settings where they differ from the defaults.
    channels_in : int
        Channels of the image.
    channels_out : int
        Channels of the logits: 1 for a mask, else the number of classes with background.
    ndim : {2, 3}
        Spatial dimensions.
    pretrained : bool
        False leaves out the pretrained weights that the spec may name: wanted where a
        checkpoint's weights follow anyway.

    Returns
    -------
    Segmenter
        A ``torch.nn.Module`` from ``(B, channels_in, *S)`` to ``(B, channels_out, *S)``.

    Raises
    ------
    SettingError
        If the model is not made for these dimensions or channels.
    """
    from napari_segment.deep.nn.models._segmenter import Segmenter

    spec = Spec.of(spec)
    entry = models[spec.name]
    _check(entry.name, entry.ndim, channels_in, channels_out, ndim)
    complete = entry.spec(spec.settings)
    settings = dict(complete.settings)
    if not pretrained and "weights" in settings:
        settings["weights"] = "none"
    net = entry(channels_in, channels_out, ndim, **settings)
    if getattr(net, "detects", False):
        return net  # finds objects itself: neither pads nor gives logits
    return Segmenter(net, complete, channels_in, channels_out, ndim)


def _check(
    name: str, possible: tuple[int, ...], channels_in: int, channels_out: int, ndim: int
) -> None:
    if ndim not in possible:
        able = [e.name for e in models.values() if ndim in e.ndim]
        raise SettingError(
            f"The model {name!r} is made for {_dimensions(possible)}, but {ndim}-D was asked for. "
            f"Models for {ndim}-D: {', '.join(able) or 'none'}."
        )
    if channels_in < 1 or channels_out < 1:
        raise SettingError(
            f"A model needs at least one channel in and one out, but {channels_in} and "
            f"{channels_out} were given."
        )


def _dimensions(possible: tuple[int, ...]) -> str:
    return " and ".join(f"{n}-D" for n in possible)
