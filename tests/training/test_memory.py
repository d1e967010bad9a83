import ctypes
import platform
import resource
import sys
from statistics import median

import psutil
import pytest
import torch

from unmask.training.memory import kept_memory

PAGES = (64 << 20) // resource.getpagesize()


def page_faults() -> float:
    """Return how many pages the system clears at the median when a large tensor comes and goes."""
    faults = []
    for _ in range(21):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        torch.empty(64 << 20, dtype=torch.uint8).fill_(1)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
    return median(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_pages_are_not_cleared_again_for_every_tensor() -> None:
    with kept_memory():
        assert page_faults() < PAGES / 100


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc is told")
def test_what_was_kept_is_given_back_at_the_end() -> None:
    process = psutil.Process()
    before = process.memory_info().rss
    with kept_memory():
        tensors = [torch.ones(32 << 20, dtype=torch.uint8) for _ in range(8)]
        del tensors
    assert process.memory_info().rss < before + (64 << 20)


def test_where_the_c_library_is_another_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", None)
    with kept_memory():
        pass
