"""What DFDM calls its models, its folders and its files."""

import re
from dataclasses import dataclass

from unmask.errors import InvalidInputError, unknown_name

TAGS = {
    "original": "1original",
    "lightweight": "2lightweight",
    "iae": "3iae",
    "dfaker": "4dfaker",
    "dfl_h128": "5dfl-h128",
}
CRFS = (0, 10, 23)
FAKE_FOLDERS = {crf: f"DFDM_crf{crf}" for crf in CRFS}
REAL_FOLDERS = {crf: f"real_crf{crf}" for crf in CRFS}
"""Where `unmask build dfdm` puts the real videos; the published data set has none."""

_WORDS = {tag[1:]: model for model, tag in TAGS.items()} | {"faceswap": "original"}
_NAME = re.compile(r"(?P<target>id\d+)_(?P<source>id\d+)_(?P<scene>[^_]+)_(?P<tag>.+)")
_REAL_NAME = re.compile(r"(?P<target>id\d+)_(?P<scene>[^_]+)")
_TAG = re.compile(r"(?:\d_?)?(?P<word>[a-z][a-z0-9-]*)", re.IGNORECASE)


@dataclass(frozen=True)
class SwapName:
    """What the name of a fake says.

    Args:
        target: the person who is seen, as `id28`.
        source: the person whose face was put in, as `id20`.
        scene: of the target's real video, as `0008`.
        tag: of the model, as `4dfaker`.
    """

    target: str
    source: str
    scene: str
    tag: str

    @property
    def model(self) -> str | None:
        """Return the model's name in `TAGS`; None where the tag is unknown."""
        return model_of(self.tag)

    @property
    def real(self) -> str:
        """Return the name, without its suffix, of the real video that it was made from."""
        return f"{self.target}_{self.scene}"


def fake_name(target: str, source: str, scene: str, model: str) -> str:
    """Return the name of a fake's file.

    Args:
        target: the person who is seen, as `id28`.
        source: the person whose face was put in, as `id20`.
        scene: of the target's real video, as `0008`.
        model: one of `TAGS`.

    Raises:
        NotFoundError: if there is no such model.
        InvalidInputError: if a person or the scene is not of that form.

    Example:
        >>> fake_name("id28", "id20", "0008", "dfaker")
        'id28_id20_0008_4dfaker.mp4'
    """
    if model not in TAGS:
        raise unknown_name("DFDM", model, TAGS)
    name = f"{target}_{source}_{scene}_{TAGS[model]}"
    if read_name(name) != SwapName(target, source, scene, TAGS[model]):
        raise InvalidInputError(
            "persons and scene of a DFDM name must be like id28 and 0008, got "
            f"{target!r}, {source!r} and {scene!r}; number them"
        )
    return f"{name}.mp4"


def real_name(target: str, scene: str) -> str:
    """Return the name of the file of a real video, which is that of Celeb-DF.

    Example:
        >>> real_name("id28", "0008")
        'id28_0008.mp4'
    """
    return f"{target}_{scene}.mp4"


def read_name(stem: str) -> SwapName | None:
    """Return what the name of a fake says, without its suffix; None if it is no such name.

    Example:
        >>> read_name("id28_id20_0008_4dfaker")
        SwapName(target='id28', source='id20', scene='0008', tag='4dfaker')
        >>> read_name("id28_0008") is None
        True
    """
    match = _NAME.fullmatch(stem)
    return SwapName(**match.groupdict()) if match else None


def read_real_name(stem: str) -> tuple[str, str] | None:
    """Return the person and the scene of a real video by its name without suffix, or None.

    Example:
        >>> read_real_name("id28_0008")
        ('id28', '0008')
    """
    match = _REAL_NAME.fullmatch(stem)
    return (match["target"], match["scene"]) if match else None


def model_of(tag: str) -> str | None:
    """Return the model that a tag means, in any case, with or without its number.

    Example:
        >>> model_of("5dfl-h128"), model_of("DFaker"), model_of("1_original"), model_of("6new")
        ('dfl_h128', 'dfaker', 'original', None)
    """
    match = _TAG.fullmatch(tag)
    return _WORDS.get(match["word"].lower()) if match else None


def quality_of(crf: int) -> str:
    """Return the name of the quality in a catalog.

    Example:
        >>> quality_of(10)
        'c10'
    """
    return f"c{crf}"
