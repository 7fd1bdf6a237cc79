"""The helpers of this package's tests as fixtures."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def made():
    """The module that makes results folders of nnU-Net and asks nnU-Net for its labels."""
    path = Path(__file__).parent / "nnunet" / "oracle.py"
    spec = importlib.util.spec_from_file_location("nnunet_oracle", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
