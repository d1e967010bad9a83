"""What a training is told."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unmask.errors import InvalidInputError, unknown_name
from unmask.settings import setting
from unmask.training.target import TARGETS

SAMPLINGS = ("balanced", "paired", "all")
OPTIMISERS = ("adamw", "sgd")
SCHEDULES = ("cosine", "constant", "step")
SELECTIONS = ("auc", "accuracy", "loss", "robust_auc")
OF_SCORES = ("auc", "robust_auc")  # which need a benign class
ADVERSARIES = {"pgd": 7, "free": 4, "fast": 1}  # with the steps that each takes usually
PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
PROBABILITIES = ("flip", "colour", "blur", "downscale", "jpeg")
AT_LEAST = {  # the smallest value of each number
    "epochs": 1,
    "steps": 1,
    "batch": 1,
    "accumulate": 1,
    "warm_up_steps": 0,
    "step_every": 1,
    "weight_decay": 0,
    "lowest_rate": 0,
    "frames_per_video": 1,
    "validation_frames_per_video": 1,
    "validate_every": 1,
    "head_epochs": 0,
    "patience": 0,
    "workers": 0,
    "devices": 1,
    "cache_gib": 0,
    "checkpoint_seconds": 0,
    "adversarial_steps": 1,
}


@dataclass(frozen=True)
class TrainSettings:
    """Settings of one training; `unmask train --help` explains each.

    Raises:
        InvalidInputError: if a number is out of its range.
        NotFoundError: if a choice is unknown; the message has the closest one.
    """

    catalog: Path = setting(help="The catalog with labels and splits.")
    faces: Path = setting(help="The face table of that catalog.")
    out: Path = setting(help="The folder of the checkpoint; the same folder continues a run.")
    detector: str = setting("efficientnet_lite0", "A detector or a network of timm, by name.")
    size: int | None = setting(None, "Side of the network's input in pixels; its own by default.")
    pretrained: bool | None = setting(None, "Whether to start from ImageNet; by default as usual.")
    weights: Path | None = setting(None, "A weight file to start from.")
    detector_options: tuple[str, ...] = setting((), "More settings of it, such as depth=14.")
    target: str = setting(
        "label",
        "What is learned: label (real or fake), adversarial, method (which one made a fake), or "
        "maker (method or real).",
    )
    qualities: tuple[str, ...] = setting((), "Qualities to train on, such as c23; all by default.")
    methods: tuple[str, ...] = setting((), "Forgery methods to train on; all by default.")
    epochs: int = setting(10, "Rounds through the training faces.")
    steps: int | None = setting(None, "Stop after so many steps, whatever the epochs.")
    batch: int = setting(32, "Faces, or clips, that a step takes at once, on each device.")
    accumulate: int = setting(1, "Batches whose gradients make one step.")
    optimiser: str = setting("adamw", "adamw or sgd.")
    momentum: float = setting(0.9, "Momentum of sgd.")
    learning_rate: float = setting(1e-3, "The highest learning rate.")
    lowest_rate: float = setting(0.0, "The rate falls no lower.")
    schedule: str = setting("cosine", "How the rate falls: cosine, constant or step.")
    warm_up_steps: int = setting(0, "Steps in which the rate rises from near 0.")
    step_every: int = setting(5, "Epochs between the falls of the schedule `step`.")
    step_factor: float = setting(0.1, "What the schedule `step` multiplies the rate by.")
    weight_decay: float = setting(1e-4, "Weight decay of kernels; norms and biases have none.")
    head_epochs: int = setting(0, "First epochs in which only the last layer learns.")
    norm_momentum: float | None = setting(
        0.1, "Share of a batch in the running statistics of batch norm."
    )
    sampling: str = setting("balanced", "balanced (reals as often as fakes), paired or all.")
    frames_per_video: int | None = setting(
        None, "Faces of each video, evenly spread and in whole clips; else all."
    )
    validation_frames_per_video: int | None = setting(None, "The same for the validation split.")
    flip: float = setting(0.5, "How often a face is mirrored.")
    colour: float = setting(0.3, "How often brightness, contrast and saturation change.")
    blur: float = setting(0.1, "How often a face is blurred.")
    downscale: float = setting(0.1, "How often a face is made smaller and larger again.")
    jpeg: float = setting(0.2, "How often a face is compressed, at a quality of 40 to 100.")
    adversarial: str = setting("", "Learn from attacked faces made by pgd, free or fast.")
    adversarial_epsilon: float = setting(4 / 255, "Largest change of a value, in [0, 1].")
    adversarial_steps: int | None = setting(
        None, "Steps of pgd, by default 7, or replays of a batch by free, by default 4."
    )
    adversarial_step: float | None = setting(None, "Change in one step; by default as published.")
    adversarial_share: float = setting(0.5, "Share of each batch that is attacked.")
    selection: str = setting(
        "",
        "What chooses the epoch on val: video-level auc, accuracy of videos with classes counting "
        "alike, loss, or robust_auc under attack; by default accuracy where there are many "
        "classes, else auc.",
    )
    validate_every: int = setting(1, "Epochs between validations; the last is always validated.")
    patience: int = setting(0, "Validations without progress before it stops; 0 never stops.")
    seed: int = setting(0, "The same seed gives the same weights.")
    precision: str = setting("32-true", "32-true, bf16-mixed or 16-mixed.")
    device: str = setting("auto", "auto, cpu, cuda or mps.")
    devices: int = setting(1, "How many devices; torchrun starts one process for each.")
    workers: int = setting(0, "Threads that prepare batches; 0 chooses.")
    cache_gib: float = setting(2.0, "Memory for decoded faces, in GiB.")
    checkpoint_seconds: float = setting(30.0, "Seconds between states to continue from.")
    restart: bool = setting(False, "Whether to start anew where the folder holds another run.")
    tensorboard: bool = setting(False, "Whether to write a TensorBoard log.")
    paper_quirks: bool = setting(
        False,
        "Whether to train as DMA-STA's code does: each epoch forgets the momentum, each frame of "
        "a clip is augmented by itself, and norms and biases decay, too.",
    )

    def __post_init__(self) -> None:
        for name, choices in (
            ("sampling", SAMPLINGS),
            ("optimiser", OPTIMISERS),
            ("schedule", SCHEDULES),
            ("selection", ("", *SELECTIONS)),
            ("target", TARGETS),
            ("adversarial", ("", *ADVERSARIES)),
            ("precision", PRECISIONS),
        ):
            if getattr(self, name) not in choices:
                raise unknown_name(name, getattr(self, name), choices)
        for name, least in AT_LEAST.items():
            value = getattr(self, name)
            _demand(value is None or value >= least, name, f"be {least} or more", value)
        for name in PROBABILITIES:
            value = getattr(self, name)
            _demand(0 <= value <= 1, name, "be a probability in [0, 1]", value)
        for name in ("adversarial_epsilon", "adversarial_step", "adversarial_share"):
            value = getattr(self, name)
            _demand(value is None or 0 < value <= 1, name, "lie in (0, 1]", value)
        if self.adversarial == "fast":
            steps = self.adversarial_steps
            _demand(steps in (None, 1), "adversarial_steps", "be 1 where fast attacks", steps)
        _demand(self.learning_rate > 0, "learning_rate", "be above 0", self.learning_rate)
        _demand(0 < self.step_factor <= 1, "step_factor", "lie in (0, 1]", self.step_factor)
        momentum = self.norm_momentum
        _demand(momentum is None or 0 < momentum <= 1, "norm_momentum", "lie in (0, 1]", momentum)
        _demand(0 <= self.momentum < 1, "momentum", "lie in [0, 1)", self.momentum)
        if not TARGETS[self.target].asks_benign:
            has_merit = self.chosen_by not in OF_SCORES
            rule = f"be accuracy or loss where target is {self.target}"
            _demand(has_merit, "selection", rule, self.chosen_by)
        if self.sampling == "paired":
            rule = f"be balanced or all where target is {self.target}, which leaves reals out"
            _demand(TARGETS[self.target].asks_benign, "sampling", rule, self.sampling)
            _demand(self.batch % 2 == 0, "batch", "be even where sampling is paired", self.batch)
        if self.head_epochs:
            _demand(self.devices == 1, "devices", "be 1 where head_epochs is given", self.devices)

    @property
    def chosen_by(self) -> str:
        """Return what chooses the epoch: the selection, or what is usual for the target."""
        return self.selection or TARGETS[self.target].selection

    @property
    def detector_settings(self) -> dict[str, Any]:
        """Return what the detector is made with."""
        given = {"size": self.size, "pretrained": self.pretrained, "weights": self.weights}
        return {name: value for name, value in given.items() if value is not None}


def _demand(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise InvalidInputError(f"{name} must {rule}, got {value}; correct the setting")
