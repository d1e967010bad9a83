"""Make a catalog from a CSV file with columns of its own names."""

from pathlib import Path

import polars as pl

from unmask.catalog import make_catalog

LISTED = """\
clip,who,face_of,is_fake,made_from
ada.mp4,ada,,false,
ben.mp4,ben,,false,
swaps/1.mp4,ada,ben,true,ada.mp4;ben.mp4
"""


def main() -> None:
    Path("listed.csv").write_text(LISTED)
    listed = pl.read_csv("listed.csv")
    catalog = make_catalog(
        listed.select(
            id="clip",
            path="clip",
            dataset=pl.lit("mine"),
            label="is_fake",
            person="who",
            source_person="face_of",
            parents=pl.col("made_from").str.split(";"),
            family=pl.when("is_fake").then(pl.lit("swap")),
        ),
        root=Path("clips"),
    )
    print(catalog.table.select("id", "label", "person", "parents"))


if __name__ == "__main__":
    main()
