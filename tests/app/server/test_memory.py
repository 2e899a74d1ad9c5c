"""Memory of the server that nothing holds goes back to the system."""

import platform
import subprocess
import sys

import pytest

HALF_FREED = """
import time
from pathlib import Path
from virtus.app.server import serving

def resident_mib():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20

serving.CLEAN_EVERY_S = 0.05
serving._bound_memory()
blocks = [bytearray(b"x" * 100_000) for _ in range(2000)]
before = resident_mib()
del blocks[::2]  # none of what is free lies at the end
end = time.monotonic() + 30
while resident_mib() > before - 60 and time.monotonic() < end:
    time.sleep(0.05)
print(before - resident_mib())
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="malloc is not glibc's")
def test_what_lies_free_between_blocks_is_given_back():
    done = subprocess.run([sys.executable, "-c", HALF_FREED], capture_output=True, text=True, check=True, timeout=120)
    assert float(done.stdout.splitlines()[-1]) > 60  # of 95
