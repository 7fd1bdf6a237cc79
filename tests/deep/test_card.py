"""Card of a model: read, written, and what of it is said."""

import json

import pytest

from napari_segment.deep.card import CARD, CHOSE, Measured, ModelCard, TrainedCase
from napari_segment.errors import FormatError

CARD_OF_NUCLEI = ModelCard(
    title="Nuclei",
    segments="nuclei in fluorescence images",
    holds="objects",
    ndim=2,
    spacing=(0.5, 0.25),
    unit="micrometer",
    licence="CC0-1.0",
    split="3 cases to train on",
    cases=tuple(
        TrainedCase(name=name, part=part)
        for name, part in (("a", "training"), ("b|c", "training"), ("d", "test"))
    ),
    scores=(
        Measured(on="2 cases of the validation", chose=CHOSE, values={"ap": 0.9}),
        Measured(on="1 case of the test", values={"ap": 0.8, "ap pooled": 0.75}),
    ),
)


def test_a_card_is_read_as_it_was_written(tmp_path):
    CARD_OF_NUCLEI.save(tmp_path)
    assert ModelCard.load(tmp_path) == CARD_OF_NUCLEI


def test_the_scores_to_judge_by_are_those_of_cases_that_chose_nothing():
    assert CARD_OF_NUCLEI.best.values["ap"] == 0.8
    only = CARD_OF_NUCLEI.model_copy(update={"scores": CARD_OF_NUCLEI.scores[:1]})
    assert only.best.chose == CHOSE
    assert ModelCard().best is None


def test_what_each_score_was_measured_on_is_in_the_text():
    text = CARD_OF_NUCLEI.to_markdown()
    assert (
        "- ap 0.900 on 2 cases of the validation, which also chose the epoch and the decoding"
    ) in text
    assert "- ap 0.800, ap pooled 0.750 on 1 case of the test, which chose nothing" in text
    assert "| spacing | 0.5 × 0.25 micrometer |" in text
    assert "- training: 2 cases: a, b\\|c" in text
    assert "authors" not in text


def test_many_cases_are_counted_and_some_are_named():
    cases = tuple(TrainedCase(name=f"case{i}", part="training") for i in range(50))
    text = ModelCard(cases=cases).to_markdown()
    assert "training: 50 cases: case0" in text
    assert "case19 and 30 more" in text


def test_without_a_card_nothing_is_known(tmp_path):
    assert ModelCard.load(tmp_path) == ModelCard()


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot be read as JSON"), (json.dumps({"ndim": "two"}), r"at ndim"), ("[]", "whole")],
)
def test_a_damaged_card_is_refused(tmp_path, content, message):
    (tmp_path / CARD).write_text(content)
    with pytest.raises(FormatError, match=message):
        ModelCard.load(tmp_path)
