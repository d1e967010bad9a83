"""Make a catalog of real and forged clips, split it by person, and look at what it holds."""

from pathlib import Path

from rich import print as show

from unmask.catalog import make_catalog, read_catalog
from unmask.splitting import split_by_person
from unmask.summary import as_text, summary

PEOPLE = ("ada", "ben", "cleo", "dan", "eve", "finn")
COMMON = {"dataset": "mine", "quality": "raw", "frames": 250, "frames_per_second": 25.0}


def main() -> None:
    real = [
        {"id": person, "path": f"{person}.mp4", "label": 0, "person": person} for person in PEOPLE
    ]
    forged = [
        {
            "id": f"{target}_{source}",
            "path": f"{target}_{source}.mp4",
            "label": 1,
            "family": "swap",
            "method": "landmark_swap",
            "person": target,  # who is seen
            "source_person": source,  # whose face was put in
            "parents": [target, source],  # the clips that it was made from
        }
        for target, source in zip(PEOPLE[::2], PEOPLE[1::2], strict=True)
    ]
    catalog = make_catalog([COMMON | row for row in real + forged], Path("clips"))

    split = split_by_person(catalog, seed=0)
    split.write(Path("clips/catalog.parquet"))
    show(as_text(summary(split)))

    test = read_catalog(Path("clips/catalog.parquet")).filter(split="test")
    print("to be tested on:", ", ".join(test.table["id"]))


if __name__ == "__main__":
    main()
