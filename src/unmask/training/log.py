"""The log of a training: a CSV file, and a TensorBoard log where one is asked for."""

import csv
import io
from pathlib import Path

from unmask.errors import missing_extra
from unmask.files import write_whole
from unmask.training.state import Row

LOG = "log.csv"
COLUMNS = (
    "epoch",
    "step",
    "learning_rate",
    "loss",
    "validation_loss",
    "validation_auc",
    "validation_accuracy",
    "robust_auc",
    "robust_accuracy",
    "images_per_second",
    "seconds",
)


def write_csv(folder: Path, rows: list[Row]) -> None:
    """Write one line for each epoch; a cell is empty where the epoch was not validated."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_whole(folder / LOG, text.getvalue().encode())


def need_tensorboard() -> None:
    """Refuse to begin a training whose log could not be written.

    Raises:
        MissingDependencyError: if TensorBoard is not installed.
    """
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise missing_extra("tensorboard", "tensorboard", "a TensorBoard log") from None


def write_tensorboard(folder: Path, row: Row) -> None:
    """Add one epoch to the TensorBoard log."""
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(folder / "tensorboard")) as writer:
        for name, value in row.items():
            if name not in ("epoch", "step"):
                writer.add_scalar(name, value, int(row["step"]))
