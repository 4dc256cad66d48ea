#!/usr/bin/env python3
"""Measures this machine and writes docs/benchmarks.md: bronze against DuckDB, and `run` at growing populations.

usage: benchmarks.py [--patients N] [--rounds N] [--runs N,N,...] [--threads N] [--out FILE]

Needs Rust, and Python 3 with the package duckdb. Both sides are measured in the same run, in turns; medians count.
"""
import argparse
import datetime
import os
import pathlib
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def measured(command):
    """Runs a command: its output, wall seconds, CPU seconds, and peak memory in MB."""
    started = time.perf_counter()
    child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    output = child.stdout.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - started
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit status {child.returncode}")
    return output, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def processor():
    try:
        found = re.search(r"model name\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text())
        return found.group(1) if found else platform.machine()
    except OSError:
        return platform.machine()


def spread(values, digits=2):
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def build():
    cargo = ["cargo", "build", "--release", "--locked"]
    subprocess.run([*cargo, "-p", "metriccare", "--bin", "metriccare"], cwd=ROOT, check=True)
    subprocess.run([*cargo, "-p", "metriccare-tests", "--example", "flatten_file"], cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "release"
    return target / "metriccare", target / "examples" / "flatten_file"


def encounters(metriccare, patients, work):
    generated = work / "generated"
    measured([metriccare, "generate", "fhir", "--patients", patients, "--out", generated])
    file = work / "encounter.ndjson"
    with file.open("wb") as out:
        for part in sorted((generated / "encounter").rglob("*.ndjson")):
            with part.open("rb") as lines:
                shutil.copyfileobj(lines, out)
    shutil.rmtree(generated)
    return file


def against_duckdb(flatten_file, file, threads, rounds, work):
    """Both sides in turns: {name: [(seconds, CPU seconds, MB)]}."""
    sides = {
        "metriccare": [flatten_file, file, work / "out", threads],
        "duckdb": [sys.executable, ROOT / "tests/benches/duckdb_flatten.py", file, work / "out", threads],
    }
    figures = {name: [] for name in sides}
    for _ in range(rounds):
        for name, command in sides.items():
            shutil.rmtree(work / "out", ignore_errors=True)
            output, _, cpu, memory = measured(command)
            figures[name].append((float(re.search(r"seconds=([\d.]+)", output).group(1)), cpu, memory))
    shutil.rmtree(work / "out", ignore_errors=True)
    return figures


def runs(metriccare, populations, work):
    """[(patients, seconds, CPU seconds, MB)] of `metriccare run`."""
    figures = []
    for patients in populations:
        lake = work / "lake"
        shutil.rmtree(lake, ignore_errors=True)
        _, wall, cpu, memory = measured([metriccare, "run", "--patients", patients, "--lake", lake, "--json"])
        figures.append((patients, wall, cpu, memory))
        shutil.rmtree(lake)
    return figures


def report(arguments, bytes_read, figures, run_figures):
    import duckdb

    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    speed = [theirs[0] / ours[0] for ours, theirs in zip(figures["metriccare"], figures["duckdb"])]
    lines = [
        "# Benchmarks",
        "",
        "<!-- Written by tests/benches/benchmarks.py. -->",
        "",
        f"Measured on {datetime.date.today()}: {processor()}, {os.cpu_count()} cores, {platform.system()}; Rust {rust}, "
        f"DuckDB {duckdb.__version__}, Python {platform.python_version()}. Again: `python3 tests/benches/benchmarks.py`.",
        "",
        "## Bronze against DuckDB",
        "",
        f"The encounters of {arguments.patients:,} patients, {bytes_read / 1e6:,.0f} MB of NDJSON, into Parquet by hospital, on "
        f"{arguments.threads} threads. Bronze writes every column with two fingerprints and checks every byte; DuckDB reads ten "
        f"columns. Median (least–most) of {arguments.rounds} rounds, in turns.",
        "",
        "| | seconds | CPU-seconds | peak memory, MB |",
        "|---|---|---|---|",
    ]
    for name, label in (("metriccare", "bronze (`flatten_file`)"), ("duckdb", "DuckDB")):
        columns = list(zip(*figures[name]))
        lines.append(f"| {label} | {spread(columns[0])} | {spread(columns[1])} | {spread(columns[2], 0)} |")
    lines += ["", f"Bronze is {spread(speed)} times as fast.", "", "## `metriccare run`", ""]
    lines += ["| patients | seconds | CPU-seconds | peak memory, MB |", "|---|---|---|---|"]
    lines += [f"| {patients:,} | {wall:.1f} | {cpu:.1f} | {memory:.0f} |" for patients, wall, cpu, memory in run_figures]
    lines += ["", "Stage by stage, on one core: `cargo bench -p metriccare-tests`.", ""]
    arguments.out.write_text("\n".join(lines))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--patients", type=int, default=100_000, help="whose encounters bronze and DuckDB flatten")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", default="1000,10000,100000", help="populations of `metriccare run`")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs/benchmarks.md")
    arguments = parser.parse_args()
    metriccare, flatten_file = build()
    with tempfile.TemporaryDirectory(prefix="metriccare-bench-", dir=os.environ.get("BENCH_DIR")) as folder:
        work = pathlib.Path(folder)
        file = encounters(metriccare, arguments.patients, work)
        figures = against_duckdb(flatten_file, file, arguments.threads, arguments.rounds, work)
        bytes_read = file.stat().st_size
        file.unlink()
        populations = [int(number) for number in arguments.runs.split(",") if number]
        report(arguments, bytes_read, figures, runs(metriccare, populations, work))
    print(arguments.out.read_text())


if __name__ == "__main__":
    main()
