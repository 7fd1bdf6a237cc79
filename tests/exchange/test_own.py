"""The network that comes with the package, and networks of this project as a kind of models."""

import numpy as np
import pytest

from napari_segment import api, samples
from napari_segment.deep.checkpoint import WEIGHTS
from napari_segment.io.models_folder import BUNDLED

NAME = "nuclei-fluorescence"


def test_the_bundled_network_is_small_and_as_its_card_says():
    model = api.find_model(NAME)
    assert (model.origin, model.problem) == ("bundled", "")
    assert (BUNDLED / NAME / WEIGHTS).stat().st_size <= 2 * 2**20
    assert api.verify_models([NAME])[0].problems == ()
    assert model.card.licence
    assert "napari-segment train" in model.card.command
    assert not model.card.best.chose
    assert model.card.count("test") == 24
    assert all(case.image.startswith("sha256:") for case in model.card.cases)
    assert model.picture is not None


def test_the_bundled_network_finds_nuclei_in_another_form():
    image, truth = samples.nuclei((160, 160), seed=11)
    bright = np.asarray(image).astype(np.float32) * 40 + 700  # as of a camera of 16 bits
    labels = api.segment(bright, "network", checkpoint=NAME, device="cpu")
    assert labels.holds == "objects"
    assert (
        api.compare(labels, truth.replace(spacing=labels.spacing, unit=labels.unit)).summary["f1"]
        > 0.9
    )


@pytest.mark.realdata
@pytest.mark.slow
def test_the_score_of_the_card_is_reached_on_the_cases_that_chose_nothing(real_data):
    from napari_segment.io.hashing import file_hash

    card = api.model_card(NAME)
    scores = []
    for case in (c for c in card.cases if c.part == "test"):
        image = real_data / "dsb2018" / "images" / f"{case.name}.png"
        reference = real_data / "dsb2018" / "labels" / f"{case.name}.png"
        assert file_hash(image) == case.image
        labels = api.segment(image, "network", checkpoint=NAME, device="cpu")
        scores.append(api.compare(labels, api.as_labels(reference)))
    total = api.aggregate(scores)
    assert total.pooled["ap50"] == pytest.approx(card.best.values["ap pooled"], abs=0.01)
    assert total.mean["ap50"] == pytest.approx(card.best.values["ap"], abs=0.01)


def test_a_training_begins_from_the_bundled_network(tmp_path):
    from napari_segment.deep.checkpoint import load_tensors
    from napari_segment.step import run

    pairs = [samples.nuclei((64, 64), seed=i) for i in range(2)]
    model = ("textbook_unet", {"features": 16, "levels": 4, "dropout": 0.0})
    made = run(
        api.train(
            pairs, out=tmp_path / "run", model=model, init_from=NAME, task="objects", epochs=1,
            steps=1, batch=1, lr=1e-9, ema=0, weight_decay=0, patch=(64, 64), device="cpu",
            workers=0,
        )
    )  # fmt: skip
    before = load_tensors(BUNDLED / NAME / WEIGHTS)
    after = load_tensors(made.folder / WEIGHTS)
    name = next(name for name in before if name.endswith("last.weight"))
    np.testing.assert_allclose(after[name], before[name].float(), atol=1e-5)
