"""The learning-rate range test."""

import csv
import json

import pytest
from shared.trainings import discs, short

from napari_segment.deep.training.optimisation.lr_range_test_torch import RateCurve
from napari_segment.errors import SettingError


def test_the_rate_is_chosen_from_the_curve():
    curve = RateCurve([1e-3, 1e-2, 1e-1], [2.0, 1.0, 3.0])
    assert curve.chosen == pytest.approx(1e-3)
    assert not curve.broke  # too few updates to say
    assert RateCurve([1.0] * 12, [2.0] + [1.0] * 10 + [2.5]).broke
    assert not RateCurve([1.0] * 12, [2.0] + [1.0] * 10 + [1.5]).broke
    assert RateCurve().chosen == 0


def test_the_learning_rate_is_looked_for(tmp_path):
    steps, checkpoint = short(discs(), tmp_path, lr=0, find_lr=True, epochs=1, seed=2)
    search = [s.numbers for s in steps if "search lr" in s.numbers]
    assert 20 < len(search) <= 100
    plan = json.loads((tmp_path / "plan.json").read_text())
    least = min(search, key=lambda n: n["search loss"])["search lr"]
    assert plan["lr"] == pytest.approx(least / 10)
    assert 1e-4 < plan["lr"] < 0.1
    assert checkpoint.reasons["lr"] == plan["reasons"]["lr"]
    assert "a tenth of" in plan["reasons"]["lr"]
    rates = [s.numbers["lr"] for s in steps if "lr" in s.numbers and "dice" not in s.numbers]
    assert max(rates) <= plan["lr"] * 1.001
    assert max(rates) > plan["lr"] / 2
    rows = list(csv.DictReader((tmp_path / "learning_rate.csv").open()))
    assert len(rows) == len(search)
    assert (tmp_path / "learning_rate.png").stat().st_size > 1000
    resumed, _ = short(discs(), tmp_path, lr=0, find_lr=True, epochs=2, seed=2, resume=True)
    assert not any("search lr" in s.numbers for s in resumed)
    later = [s.numbers["lr"] for s in resumed if "lr" in s.numbers and "dice" not in s.numbers]
    assert plan["lr"] / 4 < max(later) <= plan["lr"] * 1.001
    with pytest.raises(SettingError, match="give one of them"):
        short(discs(), tmp_path, lr=0.1, find_lr=True, overwrite=True)
