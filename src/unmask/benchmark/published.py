"""Published figures, to stand beside ours where data set, training and test are the same.

Only figures read from the authors' own repositories are here. None of them says on which frames,
or with which training, it was reached in enough detail to be repeated exactly.
"""

from dataclasses import dataclass

from unmask.benchmark.results import Level, Part, Published

DEEPFAKEMNIST = "DeepFakeMnist+ (arXiv 2108.07949), README and main_result.png of the repository"
FACEFORENSICS = "FaceForensics++, images/table4_faceshifter.png of the repository"
DEEPFAKEBENCH = "DeepfakeBench, README of the repository"
ONE_FRAME = "accuracy on one chosen frame of each video; the choice is not published"
WHICH_MESONET = "published as MesoNet; which of the two networks is not said"
OWN_TRAINING = "trained on this method alone"
MIXED = "raw+c23+c40"

# Accuracy in percent, by detector, then by training and test quality.
ACROSS_QUALITIES = (
    *(("raw", "raw"), ("c23", "c23"), ("c40", "c40")),
    *(("raw", "c23"), ("raw", "c40"), ("c23", "raw")),
    *(("c23", "c40"), ("c40", "raw"), ("c40", "c23")),
)
DEEPFAKEMNIST_ACCURACY = {
    "resnet50": (96.58, 94.32, 91.49, 85.52, 71.3, 95.16, 82.98, 59, 61.02),
    "resnet101": (96.64, 94.87, 90.44),
    "resnet152": (96.18, 94.90, 91.27, 79.23, 68.12, 82.33, 73.60, 76.72, 76.69),
    "xception": (92.38, 85.52, 83.14, 79.17, 71.83, 87.89, 68.99, 67.38, 62.9),
    "meso4": (60.39, 58.58, 57.90, 51.37, 56.92, 57.01, 49.53, 55.65, 58.64),
}
DEEPFAKEMNIST_MIXED = {  # tested on raw, c23, c40
    "resnet50": (93.57, 90.69, 85.56),
    "resnet152": (95.78, 92.11, 88.32),
}

# Accuracy in percent of a network trained and tested on one method, by quality.
METHODS = ("Deepfakes", "Face2Face", "FaceShifter", "FaceSwap", "NeuralTextures")
FACEFORENSICS_ACCURACY = {
    ("meso4", "raw"): (98.41, 97.96, 96.41, 96.07, 97.05),
    ("meso4", "c23"): (95.26, 95.84, 90.23, 93.43, 85.96),
    ("meso4", "c40"): (89.52, 84.44, 81.20, 83.56, 75.74),
    ("xception", "raw"): (99.59, 99.61, 99.41, 99.14, 99.36),
    ("xception", "c23"): (98.85, 98.36, 96.69, 98.23, 94.5),
    ("xception", "c40"): (94.28, 91.56, 88.54, 93.7, 82.11),
}

# Frame AUC of networks trained on all methods at c23, by tested quality.
DEEPFAKEBENCH_AUC = {
    ("meso4", "c23"): 0.6077,
    ("mesoinception4", "c23"): 0.7583,
    ("xception", "c23"): 0.9637,
    ("xception", "c40"): 0.8261,
}


@dataclass(frozen=True)
class Key:
    """What a published figure is of; an empty `method` means all of them."""

    dataset: str
    detector: str
    train: str
    test: str
    method: str = ""


def published_for(detector: str, train: Part, test: Part) -> tuple[Published, ...]:
    """Return the published figures for a detector trained on one part and tested on another.

    Args:
        detector: the detector's name.
        train: what it was trained on.
        test: what it was tested on; only a test of the same data set and methods has any.

    Example:
        >>> raw = Part("deepfakemnist", ("raw",), "train")
        >>> published_for("resnet50", raw, Part("deepfakemnist", ("c40",), "test"))[0].value
        0.713
    """
    if train.dataset != test.dataset or train.methods != test.methods or len(test.methods) > 1:
        return ()
    key = Key(
        train.dataset,
        detector,
        "+".join(sorted(train.qualities, key=_raw_first)),
        "+".join(test.qualities),
        test.methods[0] if test.methods else "",
    )
    return PUBLISHED.get(key, ())


def _raw_first(quality: str) -> tuple[bool, str]:
    return quality != "raw", quality


def _accuracy(percent: float, source: str, note: str) -> tuple[Published, ...]:
    level: Level = "frame"
    return (Published("accuracy", level, round(percent / 100, 4), source, note),)


def _deepfakemnist() -> dict[Key, tuple[Published, ...]]:
    found = {}
    for detector, values in DEEPFAKEMNIST_ACCURACY.items():
        note = f"{ONE_FRAME}; {WHICH_MESONET}" if detector == "meso4" else ONE_FRAME
        for (train, test), value in zip(ACROSS_QUALITIES, values, strict=False):
            figure = _accuracy(value, DEEPFAKEMNIST, note)
            found[Key("deepfakemnist", detector, train, test)] = figure
    for detector, values in DEEPFAKEMNIST_MIXED.items():
        for test, value in zip(("raw", "c23", "c40"), values, strict=True):
            figure = _accuracy(value, DEEPFAKEMNIST, ONE_FRAME)
            found[Key("deepfakemnist", detector, MIXED, test)] = figure
    return found


def _faceforensics() -> dict[Key, tuple[Published, ...]]:
    found = {}
    for (detector, quality), values in FACEFORENSICS_ACCURACY.items():
        note = f"{OWN_TRAINING}; {WHICH_MESONET}" if detector == "meso4" else OWN_TRAINING
        for method, value in zip(METHODS, values, strict=True):
            figure = _accuracy(value, FACEFORENSICS, note)
            found[Key("faceforensics", detector, quality, quality, method)] = figure
    for (detector, quality), auc in DEEPFAKEBENCH_AUC.items():
        figure = (Published("auc", "frame", auc, DEEPFAKEBENCH, "trained on all methods"),)
        found[Key("faceforensics", detector, "c23", quality)] = figure
    return found


PUBLISHED = _deepfakemnist() | _faceforensics()
