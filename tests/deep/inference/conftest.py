"""What tests of prediction share."""

import numpy as np
import pytest


@pytest.fixture
def image():
    return np.random.default_rng(3).normal(size=(1, 20, 34, 40)).astype(np.float32)
