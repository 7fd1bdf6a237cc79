"""A training that several modules of tests look at."""

import pytest
from shared.trainings import discs, short


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    out = tmp_path_factory.mktemp("run") / "classes"
    return short(discs(10), out, epochs=6, steps=25)
