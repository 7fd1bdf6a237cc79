"""A loss gets the targets that it asks for."""

import numpy as np
from shared.trainings import discs, losses_of, short


def test_a_loss_gets_the_maps_of_its_cases(tmp_path, monkeypatch):
    from napari_segment.deep.nn.losses import _boundary

    spaced = [(i.replace(spacing=(1.0, 2.0), unit="um"), m) for i, m in discs(5)]
    calls = []
    original = _boundary.signed_distance

    def counted(mask, spacing=()):
        calls.append((mask.shape, tuple(spacing)))
        return original(mask, spacing)

    monkeypatch.setattr(_boundary, "signed_distance", counted)
    steps, _ = short(spaced, tmp_path, loss="boundary")
    assert len(calls) == 4 * 3  # cases to train on, classes
    assert set(calls) == {((40, 48), (1.0, 2.0))}
    assert np.isfinite(losses_of(steps)).all()
