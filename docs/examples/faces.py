"""Find the faces of one picture, follow them through a clip, and cut them out of a catalog."""

from pathlib import Path

import unmask
from unmask.faces.mtcnn import MTCNN
from unmask.faces.table import read_face_table
from unmask.faces.track import follow
from unmask.video.read import decode, read_frame


def main() -> None:
    unmask.make_corpus(
        unmask.CorpusSettings(
            Path("made"), people=("P001",), actions=("nod",), frames=6, size=256, workers=1
        )
    )
    clip, finder = Path("made/clips/P001/nod_0.mp4"), MTCNN(smallest=50)

    (faces,) = finder.find([read_frame(clip, 0).image])
    for face in faces:
        print("box:", [round(edge) for edge in face.box], f"confidence {face.confidence:.2f}")
        print("left eye:", face.landmarks[0].round().tolist())

    for track in follow(decode(clip), finder):
        print(f"track {track.number} is seen in frames {sorted(track.faces)}")

    unmask.prepare_faces(
        unmask.FacesSettings(
            Path("made/catalog.parquet"),
            Path("faces"),
            profile="aligned",
            sampling="every:3",
            workers=1,
        )
    )
    table = read_face_table(Path("faces/faces.parquet"))
    for row in table.usable().table.iter_rows(named=True):
        print(row["frame"], table.crop(row["crop"]))


if __name__ == "__main__":
    main()
