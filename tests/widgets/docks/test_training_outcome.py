"""What came of a training, as text."""

from pathlib import Path

import pytest

from napari_segment.widgets.docks.training_outcome import training_outcome

RUN = Path("runs/nuclei")


def test_one_network_and_its_score():
    text = training_outcome([RUN], [{"dice": 0.8671, "loss": 0.2}])
    assert text == (
        "The network reaches a Dice score of 0.87 on the validation cases, which also chose it. "
        f"The network is in {RUN}. Open Predict to use it."
    )


def test_objects_are_judged_by_their_precision():
    assert "average precision of objects of 0.40" in training_outcome(
        [RUN], [{"dice": 0.9, "ap": 0.4}]
    )


def test_the_mean_of_folds():
    folders = [RUN / "fold_0", RUN / "fold_1"]
    text = training_outcome(folders, [{"dice": 0.8}, {"dice": 0.9}])
    assert "The 2 networks reach on average a Dice score of 0.85 on their validation" in text
    assert f"The networks are in {RUN}." in text


@pytest.mark.parametrize("score", [0.0, 0.04])
def test_learning_nothing_is_said_with_what_to_do(score):
    text = training_outcome([RUN], [{"dice": score}])
    assert text.startswith(f"Nothing was learnt: a Dice score of {score:.2f}")
    assert "Check what each label number is" in text
    assert str(RUN) in text


def test_the_score_of_cases_that_chose_nothing():
    text = training_outcome([RUN], [{"ap": 0.9}], [{"ap": 0.8123}])
    assert "0.90 on the validation cases, which also chose it, and 0.81 on cases that chose" in text


def test_without_a_score():
    assert "There is no validation score" in training_outcome([RUN], [{}])
