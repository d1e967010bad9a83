"""Make a detector, give it weights from elsewhere, and score faces."""

from pathlib import Path

import torch

from unmask.detectors.create import create_detector
from unmask.detectors.foreign import load_foreign
from unmask.errors import InvalidInputError


def main() -> None:
    torch.manual_seed(0)
    theirs = create_detector("mesoinception4", size=64)
    weights = Path("theirs.pth")
    torch.save(theirs.state_dict(), weights)

    ours = create_detector("mesoinception4", size=64).eval()
    try:
        load_foreign(weights, ours)
    except InvalidInputError as error:
        print(error)
    # One output; its sigmoid stands for real, as the published MesoNet has it.
    load_foreign(weights, ours, classes=("real", "fake"))

    faces = torch.rand(2, 4, 3, 100, 100)  # two clips of four faces, RGB in [0, 1], of any size
    with torch.inference_mode():
        print("P(fake):", [round(score, 3) for score in ours.scores(faces).tolist()])


if __name__ == "__main__":
    main()
