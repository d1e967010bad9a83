"""DFDM: fakes of five face-swap autoencoders at three rates of H.264."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from unmask.contracts import FAKE, REAL, Finding, VideoDataset
from unmask.datasets.celebdf_names import CELEBRITIES
from unmask.datasets.dfdm_checks import check_rate, check_rates_agree
from unmask.datasets.dfdm_lists import VideoList, check_lists, parts_of, read_lists
from unmask.datasets.dfdm_names import FAKE_FOLDERS, SwapName, read_real_name
from unmask.datasets.dfdm_tree import (
    PERSONS,
    Celebrities,
    Rate,
    celeb_df_near,
    find_rates,
    list_folders,
    masks_of,
)
from unmask.datasets.layout import elsewhere, row_of, subfolder
from unmask.datasets.overlap import check_people
from unmask.errors import InvalidInputError, NotFoundError

LABELS_OF_ORIGINAL = {"fake": FAKE, "real": REAL}
SPLIT_BY_PERSON = "unmask catalog split --crossing leave_out"
SPLIT_AS_DERIVED = "published accuracies fit 301 videos of each model to train on and 129 to test"


class DFDM(VideoDataset):
    """DFDM as published, and as `unmask build dfdm` makes it.

    The published data set holds fakes alone. Their real videos are those of Celeb-DF v2, which are
    listed too where a copy is given or found; they are not coded as the fakes are. What
    `unmask build dfdm` makes holds real videos at every rate.

    The owners ship lists of training and test videos whose form is not public: any text file
    that names fakes of DFDM, and whose own name says train, val or test, is read. A real video
    that no list names gets the split of all fakes that were made from it.

    Args:
        root: the folder with `DFDM_crf0`, `DFDM_crf10` and `DFDM_crf23`.
        celeb_df: the folder of Celeb-DF v2; by default one with `Celeb-real`: the root, one
            within it or one beside it.
        lists: the folder of the lists; by default the root, and within it `lists`, `splits` and
            the folders of the rates.
        original: what videos tagged `1original` are: `fake`, made by the model "Faceswap", which
            is called so in the program that made it; or `real`, as an author once wrote.

    Raises:
        NotFoundError: if a folder does not exist.
        InvalidInputError: if `original` is neither.

    Reference:
        Jia et al., "Model Attribution of Face-swap Deepfake Videos", ICIP 2022.
        https://arxiv.org/abs/2202.12951
    """

    def __init__(
        self,
        root: Path,
        *,
        celeb_df: Path | None = None,
        lists: Path | None = None,
        original: str = "fake",
    ) -> None:
        super().__init__(root)
        if celeb_df and not (celeb_df.is_dir() and subfolder(celeb_df, CELEBRITIES)):
            raise NotFoundError(
                f"celeb_df must be a folder that holds {CELEBRITIES}/, got {celeb_df}; give that "
                "of Celeb-DF v2"
            )
        if lists is not None and not lists.is_dir():
            raise NotFoundError(
                f"lists must be a folder, got {lists}; give the one that holds the text files"
            )
        if original not in LABELS_OF_ORIGINAL:
            raise InvalidInputError(
                f"original must be fake or real, got {original!r}; say what the videos tagged "
                "1original are"
            )
        self.celeb_df = celeb_df
        self.list_folders = [lists] if lists else list_folders(root)
        self.label_of_original = LABELS_OF_ORIGINAL[original]

    def find(self) -> Iterator[Mapping[str, object]]:
        """Yield a row for each fake whose name is as published and for each real video.

        Raises:
            InvalidInputError: if the lists contradict each other, or split a fake from its real
                video.
        """
        parts = parts_of(self._lists)
        self._refuse_divided(parts)
        masks = masks_of(self.root)
        for rate in self._rates:
            for path, said, model in rate.fakes:
                mask = masks.get(path.stem)
                yield {
                    **row_of(path, self.root),
                    **self._made(said, model),
                    **rate.coding,
                    "parents": self._real(said.real, rate),
                    "split": parts.get(path.stem),
                    "mask": mask.relative_to(self.root).as_posix() if mask else None,
                }
        yield from self._find_reals(self._parts_of_reals(parts) | parts)

    def check(self) -> Iterator[Finding]:
        """Yield what is there of each rate and model, of the real videos and of the lists."""
        if not self._rates:
            yield elsewhere(self.root, list(FAKE_FOLDERS.values()))
            return
        for rate in self._rates:
            yield from check_rate(rate, is_built=self._is_built)
        there = {rate.name for rate in self._rates if rate.listing.videos}
        if absent := [name for name in FAKE_FOLDERS.values() if name not in there]:
            yield Finding("missing", f"{', '.join(absent)}: no videos", "add them if you need them")
        yield from check_rates_agree(self._rates)
        yield from self._check_original()
        yield from self._check_reals()
        yield from self._check_lists()

    @cached_property
    def _rates(self) -> list[Rate]:
        return find_rates(self.root)

    @cached_property
    def _lists(self) -> list[VideoList]:
        return read_lists(self.list_folders)

    @cached_property
    def _celebrities(self) -> Celebrities:
        """The real videos of Celeb-DF, by name."""
        # Whoever builds a data set numbers its people anew: they are not those of a neighbour.
        near = None if self._is_built else celeb_df_near(self.root)
        return Celebrities(self.celeb_df or near, self.root)

    @property
    def _is_built(self) -> bool:
        """Whether `unmask build dfdm` made it: the published one numbers nobody anew."""
        return (self.root / PERSONS).is_file()

    @cached_property
    def _wanted(self) -> set[str]:
        """The names of the real videos that the fakes were made from."""
        return {said.real for rate in self._rates for _, said, _ in rate.fakes}

    def _find_reals(self, parts: Mapping[str, str]) -> Iterator[Mapping[str, object]]:
        """Yield a row for each real video at each rate, and for those of Celeb-DF."""
        for rate in self._rates:
            for name, path in rate.real_videos.items():
                yield {
                    **row_of(path, self.root),
                    **_seen(name),
                    **rate.coding,
                    "parents": self._celebrity(name),
                    "split": parts.get(name),
                }
        for name in sorted(self._wanted & self._celebrities.videos.keys()):
            yield {
                **self._celebrities.row(name),
                **_seen(name),
                "quality": "raw",
                "split": parts.get(name),
            }

    def _made(self, said: SwapName, model: str) -> dict[str, object]:
        """Return who is seen in a video, and how it was made."""
        shown = {"original_label": said.tag, "person": said.target}
        if model == "original" and self.label_of_original == REAL:
            return shown | {"label": REAL}
        made = {"label": FAKE, "family": "swap", "method": model, "source_person": said.source}
        return shown | made

    def _celebrity(self, name: str) -> list[str]:
        known = name in self._celebrities.videos and name in self._wanted
        return [str(self._celebrities.row(name)["id"])] if known else []

    def _real(self, name: str, rate: Rate) -> list[str]:
        """Return the id of the real video of that name, at the rate where there is one."""
        path = rate.real_videos.get(name)
        return [str(row_of(path, self.root)["id"])] if path else self._celebrity(name)

    def _refuse_divided(self, parts: Mapping[str, str]) -> None:
        for path, said, _ in (fake for rate in self._rates for fake in rate.fakes):
            fake, real = parts.get(path.stem), parts.get(said.real)
            if fake and real and fake != real:
                raise InvalidInputError(
                    f"a fake must be listed for the split of its real video, got {path.stem} for "
                    f"{fake} and {said.real} for {real}; take the lists of the download"
                )

    def _parts_of_reals(self, parts: Mapping[str, str]) -> dict[str, str]:
        """Return the split of each real video whose fakes are all in one."""
        found: defaultdict[str, set[str | None]] = defaultdict(set)
        for rate in self._rates:
            for path, said, _ in rate.fakes:
                found[said.real].add(parts.get(path.stem))
        agreed = {name: next(iter(told)) for name, told in found.items() if len(told) == 1}
        return {name: part for name, part in agreed.items() if part}

    def _check_original(self) -> Iterator[Finding]:
        count = sum(model == "original" for rate in self._rates for _, _, model in rate.fakes)
        if self._is_built or not count:
            return
        read = "real videos" if self.label_of_original == REAL else "fakes of the model Faceswap"
        yield Finding(
            "suspicious",
            f"{count} videos tagged original are read as {read}: the published counts hold only if "
            "they are fakes, and an author once wrote that such a tag means real",
            "compare some with Celeb-real of the same scene; option original=fake or original=real",
        )

    def _check_reals(self) -> Iterator[Finding]:
        counts = {f"real_crf{rate.crf}": len(rate.real_videos) for rate in self._rates}
        here = self._wanted & self._celebrities.videos.keys()
        counts |= {CELEBRITIES: len(here)} if here else {}
        told = ", ".join(f"{count} in {name}" for name, count in counts.items() if count)
        advice = "give Celeb-DF v2 as celeb_df=FOLDER; to tell the models apart none are needed"
        if not told:
            yield Finding("missing", "real videos: none", advice)
            return
        yield Finding("present", f"real videos: {told}")
        fakes = [(said, rate) for rate in self._rates for _, said, _ in rate.fakes]
        if lacking := sum(not self._real(said.real, rate) for said, rate in fakes):
            yield Finding(
                "suspicious", f"{lacking} fakes without the real video of their target", advice
            )

    def _check_lists(self) -> Iterator[Finding]:
        if not self._lists:
            yield Finding(
                "missing",
                "lists of training and test videos: none, so the split stays open; "
                f"{SPLIT_AS_DERIVED}, but which is not known",
                f"put the lists of the download into {self.root}, or choose a split with "
                f"{SPLIT_BY_PERSON}",
            )
            return
        known = {path.stem for rate in self._rates for path, _, _ in rate.fakes}
        known |= {name for rate in self._rates for name in rate.real_videos}
        yield from check_lists(self._lists, known | self._celebrities.videos.keys())
        try:
            rows = list(self.find())
        except InvalidInputError as error:
            yield Finding("suspicious", f"lists: {error}", "without agreement there is no split")
            return
        counts = Counter(row["split"] or "open" for row in rows if row["label"] == FAKE)
        told = ", ".join(f"{count} {part}" for part, count in sorted(counts.items(), key=str))
        files = ", ".join(one.file.name for one in self._lists if one.part)
        yield Finding("present", f"split of the fakes by {files or 'no list'}: {told}")
        overlap = check_people(rows, advice=f"to test on new people use {SPLIT_BY_PERSON}")
        if overlap:
            yield overlap


def _seen(name: str) -> dict[str, object]:
    """Return what a real video's name says."""
    person, _ = read_real_name(name) or (None, None)
    return {"label": REAL, "original_label": "real", "person": person}
