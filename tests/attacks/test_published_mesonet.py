"""The published MesoNet weights say real where others say fake: they are attacked the right way."""

from pathlib import Path

import pytest
import torch

from unmask.adversarial.pixels import as_face
from unmask.attack_contracts import GREY
from unmask.attacks.presets import create_attack
from unmask.contracts import FAKE, REAL
from unmask.detectors.keras_weights import load_keras_weights
from unmask.detectors.meso4 import Meso4
from unmask.video.picture import read_picture

IMAGES = {"df00204": FAKE, "df01254": FAKE, "real00240": REAL, "real00772": REAL}


@pytest.mark.shared
def test_fakes_pass_as_real_and_reals_as_fake_within_a_few_grey_levels(shared: Path) -> None:
    detector = Meso4()
    load_keras_weights(detector, shared / "data/mesonet/Meso4_DF.h5")
    faces = [as_face(read_picture(shared / f"data/mesonet/{name}.jpg")) for name in IMAGES]
    labels = torch.tensor(list(IMAGES.values()))
    attack, _ = create_attack("iterative_fgsm")
    attacked = attack(detector, faces, labels)
    assert torch.equal(attacked.scores_before >= 0.5, labels == FAKE)
    assert attacked.fooled.all()
    assert torch.equal(attacked.scores_after < 0.01, labels == FAKE)
    assert (attacked.linf <= 4 * GREY + 1e-6).all()
