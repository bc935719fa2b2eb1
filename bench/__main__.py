"""`make bench`: the figures of the policy layer for texts and pictures, and how quick the spine is on PostGIS, as one JSON on standard output.

What it does is said on the other output. It starts what it needs on free loopback ports, measures pairs in turn, several
rounds, and ends all of it again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench import photos, policy, spine


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--reports",
        type=int,
        nargs="+",
        default=[10_000, 100_000, 1_000_000],
        metavar="N",
        help="sizes of the databases to measure on (default: 10000 100000 1000000)",
    )
    parser.add_argument("--seconds", type=int, default=6, help="length of each measurement (default: 6)")
    parser.add_argument("--rounds", type=int, default=3, help="times that each is repeated (default: 3)")
    parser.add_argument("--connections", type=int, default=8, help="of the load (default: 8)")
    parser.add_argument("--only", choices=("policy", "photos", "spine"), help="measure one of the three")
    parser.add_argument(
        "--marked",
        type=Path,
        default=policy.ROOT / "tests" / "policy",
        help="folder with marked reports (default: tests/policy)",
    )
    parser.add_argument("--norne", type=Path, help="folder with NorNE, to measure names on news")
    chosen = parser.parse_args()
    found = {}
    try:
        if chosen.only in (None, "policy"):
            found["policy"] = policy.measure(chosen.marked, chosen.norne)
        if chosen.only in (None, "photos"):
            found["photos"] = photos.run()
        if chosen.only in (None, "spine"):
            found["spine"] = spine.run(
                sorted(chosen.reports), chosen.seconds, chosen.rounds, chosen.connections
            )
    except spine.CannotMeasure as reason:
        print(f"bench: {reason}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print(spine.printed(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
