"""Catalogue: the models of this machine, added, trained here and bundled."""

from napari_segment.exchange.catalogue.adding import add_model, remove_model
from napari_segment.exchange.catalogue.listing import Model, find_model, list_models
from napari_segment.exchange.catalogue.verification import Verification, verify_models

__all__ = [
    "Model",
    "Verification",
    "add_model",
    "find_model",
    "list_models",
    "remove_model",
    "verify_models",
]
