"""The columns of a catalog, what must hold in them, and the conversion of values to their types."""

from collections.abc import Sequence

import polars as pl

from unmask.errors import InvalidInputError, unknown_name
from unmask.lineage import first_in_a_cycle

KINDS = ("video", "image")
ADVERSARIAL = "adversarial"  # the family of what an attack has made
FAMILIES = ("swap", "expression", "attribute", "full_face", "blend", ADVERSARIAL)
PRISTINE = (None, "raw", "studio")  # qualities: unknown, as filmed, as rendered for the demo
SPLITS = ("train", "val", "test")

SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),  # the whole path within the data set; never used twice
    "path": pl.String(),  # of the media, from the catalog's folder, or absolute
    "kind": pl.String(),
    "dataset": pl.String(),
    "label": pl.Int8(),  # 0 real, 1 fake, null unknown
    "original_label": pl.String(),  # what the data set itself says
    "family": pl.String(),
    "method": pl.String(),
    "action": pl.String(),
    "person": pl.String(),  # who is seen, the target of a swap; a name within the data set
    "source_person": pl.String(),  # whose face or motion was put in
    "parents": pl.List(pl.String()),  # the ids that this item was made from
    "split": pl.String(),
    "quality": pl.String(),  # raw, c23, c40 ...
    "crf": pl.Int16(),
    "seed": pl.Int64(),
    "settings": pl.String(),  # JSON: how the item was made
    "licence": pl.String(),
    "sha256": pl.String(),
    "mask": pl.String(),  # of the video or image whose white pixels were replaced
    "landmarks": pl.String(),  # .npz with `landmarks` (T, K, 2), where they are known
    "frames": pl.Int64(),
    "frames_per_second": pl.Float64(),
    "width": pl.Int64(),
    "height": pl.Int64(),
    "status": pl.String(),  # ok, or the problem's short name
    "reason": pl.String(),
}
REQUIRED = ("id", "path", "kind", "dataset", "status")


def check(table: pl.DataFrame) -> None:
    """Refuse a table that is no catalog.

    Raises:
        NotFoundError: if there is an unknown column; the message has the closest name.
        InvalidInputError: if a column or a row is wrong; the message names the first.
    """
    for name in table.columns:
        refuse_unknown(name)
    for name, kind in SCHEMA.items():
        if name not in table.columns:
            raise InvalidInputError(
                f"a catalog must have the column {name!r}, got only {', '.join(table.columns)}; "
                "add it, with nulls where nothing is known, or use make_catalog"
            )
        if table.schema[name] != kind:
            raise InvalidInputError(
                f"column {name!r} must be of type {kind}, got {table.schema[name]}; cast it, or "
                "use make_catalog"
            )
    rules = _rules()
    broken = table.select(wrong.any().alias(str(i)) for i, (_, _, wrong) in enumerate(rules)).row(0)
    for (name, rule, wrong), is_broken in zip(rules, broken, strict=True):
        if is_broken:
            raise _refusal(table, name, rule, table.select(wrong.arg_true()).item(0, 0))
    if table["id"].n_unique() < table.height:
        repeated = table.select((~pl.col("id").is_first_distinct()).arg_true()).item(0, 0)
        raise _refusal(table, "id", "be used once", repeated)
    cyclic = first_in_a_cycle(table)
    if cyclic is not None:
        raise _refusal(table, "parents", "never lead back to the item itself", cyclic)


def refuse_unknown(name: str) -> None:
    """Refuse the name of a column that no catalog has.

    Raises:
        NotFoundError: the message has the closest name.
    """
    if name not in SCHEMA:
        raise unknown_name("the catalog", name, SCHEMA)


def column(name: str, values: Sequence[object]) -> pl.Series:
    """Return Python values as a column of a catalog.

    Raises:
        InvalidInputError: if a value is not of the column's type; the message names its row.
    """
    try:
        return _strictly(name, values)
    except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
        for row, value in enumerate(values):
            try:
                _strictly(name, [value])
            except (pl.exceptions.PolarsError, TypeError, ValueError, OverflowError):
                raise _wrong_type(row, name, value) from None
        raise


def converted(values: pl.Series) -> pl.Series:
    """Return a column of any table as the catalog's column of that name.

    Raises:
        NotFoundError: if the catalog has no such column.
        InvalidInputError: if a value would be lost or changed; the message names its row.
    """
    refuse_unknown(values.name)
    kind = SCHEMA[values.name]
    try:
        cast = values.cast(kind, strict=False)
    except pl.exceptions.InvalidOperationError:
        raise _wrong_type(0, values.name, values[0]) from None
    lost = values.is_not_null() & cast.is_null()
    if values.dtype.is_float() and kind.is_integer():
        lost |= (values != cast.cast(values.dtype)).fill_null(False)
    if lost.any():
        row = lost.arg_true()[0]
        raise _wrong_type(row, values.name, values[row])
    return cast


def _rules() -> list[tuple[str, str, pl.Expr]]:
    """Return (column, what must hold, where it does not)."""

    def one_of(name: str, allowed: Sequence[str]) -> tuple[str, str, pl.Expr]:
        return name, f"be one of {', '.join(allowed)}", ~pl.col(name).is_in(allowed)

    def is_absent(name: str) -> pl.Expr:
        return pl.col(name).is_null() | (pl.col(name) == "")

    counts = ("frames", "frames_per_second", "width", "height")
    is_not_ok = pl.col("status") != "ok"
    # An attack may start from a real video and leave it real: its family alone says nothing.
    is_real_forgery = (pl.col("label") == 0) & (pl.col("family") != ADVERSARIAL)
    return [
        *((name, "be given", is_absent(name)) for name in REQUIRED),
        ("id", "stay inside the data set", _leaves_its_folder("id")),
        one_of("kind", KINDS),
        one_of("family", FAMILIES),
        one_of("split", SPLITS),
        ("label", "be 0 (real), 1 (fake) or null", ~pl.col("label").is_in([0, 1])),
        ("label", "be 1 (fake) where a family of forgeries is given", is_real_forgery),
        ("sha256", "be 64 hexadecimal digits", ~pl.col("sha256").str.contains(r"^[0-9a-f]{64}$")),
        ("crf", "lie between 0 and 51", ~pl.col("crf").is_between(0, 51)),
        *((name, "be 0 or more", ~pl.col(name).is_between(0, 2**53)) for name in counts),
        ("reason", "say why the status is not ok", is_not_ok & is_absent("reason")),
    ]


def _leaves_its_folder(name: str) -> pl.Expr:
    # Ids become folder names of crops and copies: a hostile one must not reach outside.
    return pl.col(name).str.contains(r"(^/)|(^|/)\.\.(/|$)|\\|\x00")


def _strictly(name: str, values: Sequence[object]) -> pl.Series:
    if SCHEMA[name].is_nested() and any(isinstance(value, str) for value in values):
        raise TypeError  # Polars would take the text apart into letters.
    return pl.Series(name, values, SCHEMA[name], strict=True)


def _wrong_type(row: int, name: str, value: object) -> InvalidInputError:
    kind = "a list of ids" if SCHEMA[name].is_nested() else f"of type {SCHEMA[name]}"
    return InvalidInputError(
        f"row {row}: column {name!r} must be {kind}, got {value!r}; correct the value"
    )


def _refusal(table: pl.DataFrame, name: str, rule: str, row: int) -> InvalidInputError:
    value = table[name].slice(row, 1).to_list()[0]
    return InvalidInputError(
        f"row {row} (id {table['id'][row]!r}): column {name!r} must {rule}, got {value!r}; "
        "correct the row or leave it out"
    )
