"""Which of the faces of a clip are prepared."""

from collections.abc import Sequence

from unmask.faces.track import Track

LEAST_SHARE = 0.5  # of the best track's share of the mask
LEAST_SIDE = 0.5  # of the main track's mean side: what is smaller is somebody else, or no face


def main_tracks(tracks: Sequence[Track], shares: Sequence[float] | None = None) -> list[Track]:
    """Return the tracks of the main face: in each frame at most one.

    The main track is the one whose boxes have the largest area over all frames. A face that
    turns up somewhere else, after a cut or an absence, has another track; so the next largest
    tracks follow, as far as they were never seen together with a chosen one and are not much
    smaller.

    Args:
        tracks: the faces of the clip.
        shares: how much of the forgery's mask lies in each track's boxes: a track with less than
            half of the largest share is not chosen. None where there is no mask.
    """
    if shares is not None:
        least = max(LEAST_SHARE * max(shares, default=0.0), 1e-9)
        tracks = [track for track, own in zip(tracks, shares, strict=True) if own >= least]
    chosen: list[Track] = []
    for track in sorted(tracks, key=lambda track: (-track.area, track.number)):
        apart = all(track.faces.keys().isdisjoint(one.faces) for one in chosen)
        if not chosen or (apart and track.side >= LEAST_SIDE * chosen[0].side):
            chosen.append(track)
    return sorted(chosen, key=lambda track: track.number)
