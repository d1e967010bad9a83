"""What a detector learns to tell apart: one class for each item."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import polars as pl

from unmask.catalog import Catalog
from unmask.contracts import FAKE, REAL
from unmask.schema import ADVERSARIAL
from unmask.torch_contracts import BENIGN
from unmask.training.attacked import mark_unchanged


@dataclass(frozen=True)
class Target:
    """A question about items, and its answers.

    Args:
        class_of: the name of an item's class, of its columns in the catalog; null is unknown.
        classes: all of them among some items; one that is of `BENIGN` comes first, and a
            detector's score is the probability of all others together.
        marked: returns a face table in which faces that are not of their item's class have
            another status than `ok`.
        column: of the catalog, that has to be filled in for a class to be known.
        asks_benign: whether items of a class of `BENIGN` are asked about; else they are left out.
        selection: what usually chooses the epoch on validation.
    """

    class_of: pl.Expr
    classes: Callable[[pl.DataFrame], tuple[str, ...]]
    marked: Callable[[pl.DataFrame, Catalog], pl.DataFrame] = lambda faces, catalog: faces
    column: str = "label"
    asks_benign: bool = True
    selection: str = "auc"

    def concerned(self, items: pl.DataFrame) -> pl.DataFrame:
        """Return the items that are asked about."""
        return items if self.asks_benign else items.filter(~self.is_benign.fill_null(value=False))

    def numbered(self, items: pl.DataFrame, classes: Sequence[str]) -> pl.DataFrame:
        """Return the items with the place of their class as `label`; null is unknown."""
        place = {name: number for number, name in enumerate(classes)}
        return items.with_columns(
            label=self.class_of.replace_strict(place, default=None, return_dtype=pl.Int8)
        )

    def judged(self, items: pl.DataFrame) -> pl.DataFrame:
        """Return the items with the `label` that a score is measured against.

        Example:
            >>> items = pl.DataFrame({"label": [1, 1], "family": ["swap", "adversarial"]})
            >>> TARGETS["adversarial"].judged(items)["label"].to_list()
            [0, 1]
        """
        return items.with_columns(label=(~self.is_benign).cast(pl.Int8))

    @property
    def is_benign(self) -> pl.Expr:
        """Whether an item is what no detector should raise an alarm at."""
        return self.class_of.is_in(BENIGN)


REAL_OR_METHOD = pl.when(pl.col("label") == REAL).then(pl.lit("real")).otherwise("method")


def _methods(items: pl.DataFrame) -> list[str]:
    """Return the methods of the fakes, in the order of the alphabet."""
    is_real = pl.col("label").eq_missing(REAL)
    return items.filter(~is_real)["method"].drop_nulls().unique().sort().to_list()


TARGETS = {
    "label": Target(
        pl.col("label").replace_strict(
            {REAL: "real", FAKE: "fake"}, default=None, return_dtype=pl.String
        ),
        lambda items: ("real", "fake"),
    ),
    "adversarial": Target(
        pl.when(pl.col("family").eq_missing(ADVERSARIAL))
        .then(pl.lit("adversarial"))
        .otherwise(pl.lit("clean")),
        lambda items: ("clean", "adversarial"),
        mark_unchanged,
    ),
    "method": Target(
        REAL_OR_METHOD,
        lambda items: tuple(_methods(items)),
        column="method",
        asks_benign=False,
        selection="accuracy",
    ),
    "maker": Target(
        REAL_OR_METHOD,
        lambda items: ("real", *_methods(items)),
        column="method",
        selection="accuracy",
    ),
}
