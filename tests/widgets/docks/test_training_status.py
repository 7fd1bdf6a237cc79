"""What the Train dock says in words."""

import os

from napari_segment.recipe import Spec
from napari_segment.widgets.docks.training_status import (
    has_own_loss,
    proposal,
    report,
    status,
)

SETTINGS = {
    "model": Spec(name="unet"), "loss": Spec(name="dice_ce"), "augment": "standard",
    "device": "auto", "patch": "auto", "batch": 2, "lr": "auto",
}  # fmt: skip


def test_the_proposal_names_what_is_chosen_and_what_follows_from_the_images():
    text = proposal(SETTINGS, 3)
    assert text.startswith("U-Net (residual) learns from 3 pairs with Dice + cross entropy and ")
    assert "Patches, learning rate follow from the images" in text
    chosen = proposal({**SETTINGS, "patch": (32, 32), "lr": 1e-3, "device": "cpu"}, None)
    assert "from the folders" in chosen
    assert chosen.endswith("on cpu.")


def test_networks_that_find_boxes_bring_their_loss():
    assert has_own_loss("mask_rcnn")
    assert not has_own_loss("unet")
    assert "its own loss" in proposal({**SETTINGS, "model": Spec(name="mask_rcnn")}, 1)


def test_the_report_lists_errors_with_their_sign_and_counts_the_rest():
    assert report([]) == "Nothing is wrong with the pairs."
    findings = [{"severity": "error", "message": f"case {n}"} for n in range(8)]
    lines = report(findings).splitlines()
    assert lines[0] == "✕ case 0"
    assert lines[-1].startswith("… and 2 more")


def test_the_status_says_the_time_left_at_the_rate_so_far():
    assert status(25, 100, 20.0, None, 0) == "60 s left"
    assert status(1, 100, 60.0, 1e-3, 0) == "1.6 h left · learning rate 0.001"
    assert status(100, 100, 60.0, None, 0) == ""
    assert "GB of memory" in status(1, 2, 1.0, None, os.getpid())
    assert status(1, 2, 1.0, None, 2**22 - 1).startswith("1 s left")
