"""Decoders of segmentation-models-pytorch over any of its encoders, 2-D.

The encoder is given by name: those of the library ("resnet34", "mobilenet_v2", "mit_b0") and,
after "tu-", those of timm ("tu-convnext_tiny"). `encoders` searches them.
"""

from __future__ import annotations

from napari_segment.deep.nn.models.smp import pyramids as pyramids
from napari_segment.deep.nn.models.smp import transformers as transformers
from napari_segment.deep.nn.models.smp import unets as unets


def encoders(search: str = "", *, pretrained: bool = False) -> list[str]:
    """Names of encoders.

    Parameters
    ----------
    search : str
        Words that must all occur in the name, in any order; empty for all.
    pretrained : bool
        Only those with pretrained weights to download.

    Returns
    -------
    list of str
        The library's own first, then those of timm, each group sorted.
    """
    from napari_segment.deep.nn.models.smp._encoders import names

    parts = search.lower().split()
    return [n for n in names(pretrained=pretrained) if all(w in n.lower() for w in parts)]


def encoder_weights(encoder: str) -> list[str]:
    """Names of the pretrained weights that an encoder has, such as "imagenet".

    Parameters
    ----------
    encoder : str
        A name of `encoders`.

    Returns
    -------
    list of str
        Empty if there are none.
    """
    from napari_segment.deep.nn.models.smp._encoders import known_weights

    return known_weights(encoder)
