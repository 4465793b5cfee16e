"""Run the benchmarks and write BENCHMARKS.md."""

import argparse
import sys
from pathlib import Path

from bench.projects import ROOT
from bench.report import Report
from bench.sections import alternatives, on_the_engine, overhead, selection, start_up


def main() -> None:
    """Run every section, with progress on standard error."""
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, epilog="Example: python -m bench --quick --output -"
    )
    parser.add_argument("--quick", action="store_true", help="fewer deployments and runs; about a minute")
    parser.add_argument("--output", default=str(ROOT / "BENCHMARKS.md"), help="file to write; - is standard output")
    arguments = parser.parse_args()
    report = Report("make bench-quick" if arguments.quick else "make bench")
    for section in (overhead, on_the_engine, selection, alternatives, start_up):
        print(f"{section.__name__.replace('_', ' ')} …", file=sys.stderr, flush=True)
        section(report, arguments.quick)
    if arguments.output == "-":
        sys.stdout.write(report.text())
    else:
        Path(arguments.output).write_text(report.text())


main()
