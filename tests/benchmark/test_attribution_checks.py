"""What is refused of a study of attribution before anything is trained."""

from pathlib import Path

import pytest

from makers.maker_faces import make_makers
from unmask.benchmark.attribution import attribution_benchmark
from unmask.benchmark.attribution_settings import AttributionBenchmarkSettings
from unmask.errors import InvalidInputError
from unmask.faces.table import make_face_table, read_face_table

# Clips of all four faces that each video has.
TRAINING = {"dma_sta": {"size": 32, "detector_options": ("width=0.125", "frames=4"), "epochs": 1}}


def test_maker_whose_tracks_have_gaps_in_every_clip_is_told_before_any_training(
    tmp_path: Path,
) -> None:
    prepared = make_makers(tmp_path / "data")
    rows = read_face_table(prepared.faces).table.to_dicts()
    for row in rows:
        if row["item"] == "c10/p5_dots.mp4" and row["frame"] > 3:
            row["frame"] += 300  # two faces, a gap, two faces
    make_face_table(rows, prepared.faces.parent).write(prepared.faces)
    settings = AttributionBenchmarkSettings(
        prepared.catalog,
        prepared.faces,
        tmp_path / "out",
        detectors=("dma_sta",),
        qualities=("c0", "c10"),
        leave_out=("none",),
    )
    with pytest.raises(
        InvalidInputError,
        match="at c10 that dma_sta can judge, with tracks of 4 faces or more, got none of dots",
    ):
        attribution_benchmark(settings, training=TRAINING)
    assert not (tmp_path / "out").exists()
