"""Memory of its own for what is kept: the same values, none of it malloc's, and given back."""

import ctypes
import sys
from pathlib import Path

import pytest
import torch

from virtus.app.visitors.apart import set_apart

NUM_BYTES = 4 * 197 * 192  # of the tokens that enter a block of virtus-fast


class Counts(ctypes.Structure):
    """malloc's own, `struct mallinfo2` of glibc."""

    NAMES = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    _fields_ = [(name, ctypes.c_size_t) for name in NAMES]


def used_of_malloc():
    """Bytes that malloc has handed out."""
    counts = getattr(ctypes.CDLL(None), "mallinfo2", None) if sys.platform == "linux" else None
    if counts is None:
        pytest.skip("malloc is not glibc's")
    counts.restype = Counts
    found = counts()
    return found.uordblks + found.hblkhd


def resident_bytes(address):
    """Of the mapping at an address; 0 where there is none."""
    inside = False
    for line in Path("/proc/self/smaps").read_text(errors="replace").splitlines():
        first, dash, second = line.split()[0].partition("-")
        if dash:
            inside = int(first, 16) <= address < int(second, 16)
        elif inside and line.startswith("Rss:"):
            return 1024 * int(line.split()[1])
    return 0


def test_the_same_values_in_one_piece():
    tensors = [torch.randn(2, 3, 4), torch.arange(5), torch.zeros(0, 7)]
    apart = set_apart(tensors)
    assert all(torch.equal(one, other) and one.dtype == other.dtype for one, other in zip(apart, tensors, strict=True))
    assert len({one.untyped_storage().data_ptr() for one in apart}) == 1
    tensors[0].zero_()
    assert apart[0].any()
    assert [one.shape for one in set_apart([torch.zeros(0, 7)])] == [(0, 7)]


def test_malloc_holds_none_of_what_is_kept():
    """What stays between blocks that go keeps malloc from using these again."""
    before = used_of_malloc()
    kept = [set_apart([torch.randn(1, 197, 192) for _ in range(12)]) for _ in range(20)]
    assert used_of_malloc() - before < 10 * NUM_BYTES  # of 240 times as much; torch itself takes a little
    assert len(kept) == 20


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_it_goes_back_to_the_system():
    kept = set_apart([torch.randn(64, 197, 192)])
    address = kept[0].data_ptr()
    held = resident_bytes(address)
    assert held >= 64 * NUM_BYTES
    del kept
    assert resident_bytes(address) <= held - 64 * NUM_BYTES  # a neighbour may share its entry
