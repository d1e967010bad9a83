"""Write a video, look at it, and take frames out of it by their numbers."""

from pathlib import Path

import numpy as np

from unmask.video.probe import probe
from unmask.video.read import decode, read_frames
from unmask.video.sample import parse_sampling
from unmask.video.write import VideoWriter, read_mark


def main() -> None:
    path = Path("fading.mp4")
    with VideoWriter(path, 25, lossless=True, synthetic="drawn by hand") as writer:
        for grey in range(100):
            writer.write(np.full((48, 64, 3), 2 * grey, np.uint8))

    info = probe(path)
    print(f"{info.frames} frames of {info.width}x{info.height}, {info.duration} s")
    print("mark:", read_mark(path))

    numbers = parse_sampling("spread:4").numbers(info.frames)
    for frame in read_frames(path, numbers):
        print(f"frame {frame.number} at {frame.time} s is {frame.image[0, 0].tolist()}")

    # Only what is asked for is converted: of frame 99, a corner.
    (last,) = decode(path, [99])
    print("corner:", last.crop(0, 0, 8, 8).shape)


if __name__ == "__main__":
    main()
