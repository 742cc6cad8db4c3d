#!/usr/bin/env python3
"""Measures wsm beside what people use today, all in one run, taking turns.

    Benchmarks/run.py [MEASUREMENT…] [--rounds N] [--peers A,B] [--cases A,B] [--json FILE] [--short]

What counts are ratios in the same run: they survive a noisy machine, rates do not. A run whose
client did not count exactly what was sent is void and ends the program. README.md says what each
measurement compares with what.
"""

import argparse
import importlib
import json
import os
import pathlib
import sys

from bench import machine
from bench.programs import Void

MEASUREMENTS = ["receive", "memory", "connect", "latency", "subscriber", "dapr", "control"]
SHORT = ["receive", "memory", "connect", "subscriber"]


def words(text):
    return text.split(",")


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="Measurements: " + ", ".join(MEASUREMENTS) + "; all of them by default.")
    parser.add_argument("measurements", nargs="*", metavar="MEASUREMENT")
    parser.add_argument("--rounds", type=int, help="turns of each peer (3; short: 1)")
    parser.add_argument("--peers", type=words, help="only these")
    parser.add_argument("--cases", type=words, help="only these of the measurement")
    parser.add_argument("--json", type=pathlib.Path, help="write every run to a file")
    parser.add_argument(
        "--short", action="store_true", help="two minutes: " + ", ".join(SHORT) + ", few rounds")
    options = parser.parse_args()
    unknown = set(options.measurements) - set(MEASUREMENTS)
    if unknown:
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    options.measurements = options.measurements or (SHORT if options.short else MEASUREMENTS)
    options.rounds = options.rounds or (1 if options.short else 3)
    return options


def take_usual_priority():
    """Threads of Swift's pool run at nice 0 whatever their process has: so must all beside them."""
    try:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    except PermissionError:
        sys.exit("run at nice 0: at another priority the peers have one that wsm has not")


def main():
    options = parse()
    take_usual_priority()
    host = machine.describe()
    print(f"{host['cores']} cores, {host['processor']}, Linux {host['kernel']}; "
          f"load {host['load'][0]:.1f}")
    record = {"host": host, "measurements": {}}
    for name in options.measurements:
        busy, niced = machine.busy_share()
        if busy + niced > 0.1:
            print(f"\nOthers use {busy:.0%} of the processors, and {niced:.0%} at a lower priority: "
                  "compare ratios, not rates.")
        try:
            cases = importlib.import_module(f"bench.cases.{name}").run(options)
        except Void as reason:
            sys.exit(f"{name}: void: {reason}")
        record["measurements"][name] = {
            "busy_before": busy, "niced_before": niced, "load_after": os.getloadavg(),
            "cases": [case.record() for case in cases]}
    if options.json:
        options.json.write_text(json.dumps(record, indent=1) + "\n")


if __name__ == "__main__":
    main()
