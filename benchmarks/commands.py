"""Wall time of the commands that people wait for: each a process of its own, cold interpreter included."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 7
COMMANDS = {
    "figbridge --help": [["--help"]],
    "mapping lint + mapping test of the example": [["mapping", "lint"], ["mapping", "test"]],
}


def main() -> None:
    print("\ncommands: seconds, median (min-max)")
    for name, calls in COMMANDS.items():
        found = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            for call in calls:
                subprocess.run([sys.executable, "-m", "figbridge", *call], check=True, stdout=subprocess.DEVNULL)
            found.append(time.perf_counter() - began)
        print(f"  {name:<46}{statistics.median(found):.2f} ({min(found):.2f}-{max(found):.2f})")


if __name__ == "__main__":
    main()
