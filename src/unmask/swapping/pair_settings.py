"""What the training of a pair is told."""

from dataclasses import dataclass

from unmask.errors import InvalidInputError, unknown_name
from unmask.settings import setting
from unmask.swapping.alignment import PADDING

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
AT_LEAST = {  # the smallest value of each number
    "iterations": 1,
    "patience": 0,
    "batch": 1,
    "preview_every": 1,
    "save_every": 0,
    "devices": 1,
    "threads": 0,
}
# How the work is done may change when a run continues.
FREE = ("device", "threads", "save_every")


@dataclass(frozen=True)
class PairSettings:
    """How an autoencoder learns the faces of two persons.

    `paper_quirks` restores three faults of the published code: the warp of the input is as many
    pixels strong whatever the size of the faces, the contrast is equalised in more and smaller
    tiles the larger they are, and the input is sampled from the large picture without averaging,
    unlike the faces that are converted later.

    The published loss compares patches that do not overlap, all channels together, where its own
    text speaks of a sliding window. It is no fault in what is learned, and stays.

    Raises:
        InvalidInputError: if a number is out of its range.
        NotFoundError: if the precision is unknown; the message has the closest one.
    """

    model: str = setting("original", "original, lightweight, iae, dfaker or dfl_h128.")
    width: float = setting(1.0, "Share of the published channels; 0.25 suits two cores.")
    options: tuple[str, ...] = setting((), "More settings of the model, such as lowmem=true.")
    iterations: int = setting(100_000, "Steps at most; FaceForensics++ took 200,000.")
    minutes: float | None = setting(None, "Minutes of work at most.")
    patience: int = setting(
        0, "Looks at held-out faces without a lower loss before it stops; 0 never stops."
    )
    batch: int = setting(16, "Faces of each person in one step, on all devices together.")
    learning_rate: float = setting(5e-5, "The learning rate of Adam.")
    learn_shared: bool = setting(True, "Whether the layers that both persons share learn.")
    coverage: float = setting(0.875, "Share of the faces' side that the network sees.")
    padding: float = setting(PADDING, "What the faces were aligned with.")
    eyes: float = setting(3.0, "Weight of the eyes in the loss; 1 or less adds none.")
    mouth: float = setting(2.0, "Weight of the mouth in the loss; 1 or less adds none.")
    warp_to_landmarks: bool = setting(
        False, "Whether faces are warped towards those of the other person, as dfaker can."
    )
    seed: int = setting(0, "The same seed gives the same weights.")
    preview_every: int = setting(
        500, "Steps between looks at held-out faces: their loss, and the preview."
    )
    save_every: float = setting(60.0, "Seconds between states to continue from.")
    precision: str = setting("32-true", "32-true, bf16-mixed or 16-mixed.")
    device: str = setting("auto", "auto, cpu, cuda or mps.")
    devices: int = setting(1, "How many devices; torchrun starts one process for each.")
    threads: int = setting(0, "Threads that prepare batches; 0 chooses.")
    paper_quirks: bool = setting(False, "Whether the published code's faults are restored.")

    def __post_init__(self) -> None:
        if self.precision not in PRECISIONS:
            raise unknown_name("precision", self.precision, PRECISIONS)
        for name, least in AT_LEAST.items():
            value = getattr(self, name)
            _demand(value >= least, name, f"be {least} or more", value)
        minutes = self.minutes
        _demand(minutes is None or minutes > 0, "minutes", "be above 0", minutes)
        _demand(self.learning_rate > 0, "learning_rate", "be above 0", self.learning_rate)
        _demand(0 < self.width <= 1, "width", "lie in (0, 1]", self.width)
        _demand(0 < self.coverage <= 1, "coverage", "lie in (0, 1]", self.coverage)
        _demand(0 <= self.padding < 1, "padding", "lie in [0, 1)", self.padding)
        if self.batch % self.devices:
            raise InvalidInputError(
                f"batch must be a multiple of the {self.devices} devices, got {self.batch}; each "
                "takes an equal share"
            )


def _demand(holds: bool, name: str, rule: str, value: object) -> None:
    if not holds:
        raise InvalidInputError(f"{name} must {rule}, got {value}; correct the setting")
