"""Encoders: their names, their weights on this machine or from the hub."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from napari_segment.deep.nn.models._weights import PROBE_SECONDS, given_file
from napari_segment.deep.nn.models.published import verified
from napari_segment.errors import FormatError, MissingError, SettingError, UnknownNameError

_WEIGHTS = "model.safetensors"


def names(*, pretrained: bool = False) -> list[str]:
    """Names of the encoders; without the deprecated doubles of timm's."""
    import timm
    from segmentation_models_pytorch.encoders import encoders

    own = sorted(
        name for name, about in encoders.items()
        if not name.startswith("timm-") and (about["pretrained_settings"] or not pretrained)
    )  # fmt: skip
    return own + [f"tu-{n}" for n in timm.list_models(pretrained=pretrained)]


def check_name(encoder: str) -> None:
    """Refuse an unknown encoder, naming the nearest."""
    import timm
    from segmentation_models_pytorch.encoders import encoders

    if encoder in encoders or (encoder.startswith("tu-") and timm.is_model(encoder[3:])):
        return
    raise UnknownNameError("encoder", encoder, names())


def known_weights(encoder: str) -> list[str]:
    """Names of an encoder's pretrained weights."""
    check_name(encoder)
    if encoder.startswith("tu-"):
        import timm

        return ["imagenet"] if timm.models.is_model_pretrained(encoder[3:]) else []
    return list(_settings(encoder))


def weights_file(encoder: str, weights: str) -> Path | None:
    """Return the file of an encoder's weights: given, from the cache, or downloaded.

    Parameters
    ----------
    encoder : str
        A known encoder.
    weights : str
        "none", a name, or the path of a ``.safetensors`` or ``.pth`` file.

    Returns
    -------
    Path or None
        None for "none".

    Raises
    ------
    UnknownNameError
        If the encoder has no weights of this name.
    MissingError
        If they are not on this machine and the hub cannot be reached.
    """
    if weights == "none":
        return None
    given = given_file(weights)
    if given is not None:
        return given
    if weights not in known_weights(encoder):
        raise UnknownNameError(
            f"set of weights of {encoder!r}", weights, ["none", *known_weights(encoder)]
        )
    return _from_hub(encoder, weights)


def _from_hub(encoder: str, weights: str) -> Path:
    from huggingface_hub import hf_hub_download, try_to_load_from_cache

    repository, revision = _address(encoder, weights)
    cached = try_to_load_from_cache(repository, _WEIGHTS, revision=revision)
    if isinstance(cached, str):
        return _whole(Path(cached))
    _reach_hub(encoder, weights, repository)
    try:
        return _whole(Path(hf_hub_download(repository, _WEIGHTS, revision=revision)))
    except FormatError:
        raise
    except Exception as error:  # the hub's client raises a dozen kinds
        raise _missing(encoder, weights, repository, str(error).split("\n")[0]) from error


def _whole(file: Path) -> Path:
    """Check a file of the hub's cache, which names large files by their SHA-256."""
    name = file.resolve().name
    return verified(file, name) if re.fullmatch("[0-9a-f]{64}", name) else file


def _address(encoder: str, weights: str) -> tuple[str, str | None]:
    if encoder.startswith("tu-"):
        import timm

        repository = timm.models.get_pretrained_cfg(encoder[3:]).hf_hub_id
        if not repository:
            raise SettingError(
                f"The weights of {encoder!r} are not on the hub. Give a file of weights instead."
            )
        return str(repository), None
    about = _settings(encoder)[weights]
    return about["repo_id"], about["revision"]


def _settings(encoder: str) -> dict[str, Any]:
    from segmentation_models_pytorch.encoders import encoders

    return dict(encoders[encoder]["pretrained_settings"])


def _reach_hub(encoder: str, weights: str, repository: str) -> None:
    """Fail within seconds where the hub's own client would try for a minute."""
    import urllib.error
    import urllib.request

    if os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "TRUE", "YES", "ON"):
        raise _missing(encoder, weights, repository, "HF_HUB_OFFLINE is set")
    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
    try:
        request = urllib.request.Request(endpoint, method="HEAD")
        urllib.request.urlopen(request, timeout=PROBE_SECONDS).close()
    except urllib.error.HTTPError:
        return  # it answered
    except (OSError, ValueError) as error:
        reason = f"{endpoint} cannot be reached: {getattr(error, 'reason', error)}"
        raise _missing(encoder, weights, repository, reason) from error


def _missing(encoder: str, weights: str, repository: str, reason: str) -> MissingError:
    return MissingError(
        f"The weights {weights!r} of the encoder {encoder!r} are not on this machine and could "
        f"not be downloaded ({reason}). Connect to the network once, give the path of "
        f"{_WEIGHTS} from {repository} as `weights`, or take weights='none' and "
        "frozen_epochs=0."
    )
