"""Run every benchmark, one after the other: `python -m benchmarks`."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent

for file in sorted(FOLDER.glob("[!_]*.py")):
    print(f"\n== {file.stem} ==", flush=True)
    # Each in its own process: peak memory and loaded libraries of one must not touch the next.
    done = subprocess.run([sys.executable, str(file)], check=False)
    if done.returncode:
        print(f"{file.stem} ended with {done.returncode}", flush=True)
