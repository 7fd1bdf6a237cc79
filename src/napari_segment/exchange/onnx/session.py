"""Networks of ONNX files, checked and loaded once."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from napari_segment.errors import FormatError
from napari_segment.exchange.onnx.external_data import check_external_data
from napari_segment.io.changed import State, state_of


def load_onnx(path: Path, device: str = "cpu") -> Any:
    """Load the network of an ONNX file, once for all time points and images of a process.

    Parameters
    ----------
    path : Path
        The file; its external data must lie in its folder.
    device : str
        "cpu", or "cuda" with onnxruntime-gpu.

    Returns
    -------
    OnnxNetwork
        Called with a tensor; ``input_shape`` has an int or a name for each axis.
    """
    try:
        own = state_of(path)
    except FileNotFoundError:
        raise FormatError(f"There is no file {path}. Give the path of an ONNX file.") from None
    weights = map(state_of, check_external_data(path))
    return _load(path.resolve(), device, (own, *weights))


@lru_cache(maxsize=4)
def _load(path: Path, device: str, states: tuple[State, ...]) -> Any:  # noqa: ARG001 - new files, new network
    from napari_segment.deep.inference.networks.onnx_runtime import OnnxNetwork

    return OnnxNetwork(path, device)
