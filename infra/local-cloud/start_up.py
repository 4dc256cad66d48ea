"""Sizes of the functions' zips, and their start-up in Amazon's runtime emulator beside a Lambda that does nothing.

The emulator starts a bootstrap at its first invocation and says in its INIT REPORT how long it took. Functions take turns,
so that what else the machine does meets all of them alike; the median of the rounds is the figure.
"""
import argparse
import io
import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile

FUNCTIONS = ["empty", "generator", "bronze", "silver", "gold"]
# What a function reads at its start. Nothing is called before the first message, so nothing has to be there.
SETTINGS = {
    "LANDING_BUCKET": "landing", "LAKE_BUCKET": "lake", "LEDGER_TABLE": "ledger", "LEDGER_DAYS": "90",
    "DATABASE": "metriccare", "BUCKETS": "16", "METRICS_NAMESPACE": "metriccare", "FEED_PATIENTS": "1000", "FEED_SEED": "42",
    "QUEUE_URL": "http://127.0.0.1:9/queue", "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
}


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(emulator: pathlib.Path, bootstrap: pathlib.Path) -> float:
    """Milliseconds from the start of a bootstrap to its first question for work."""
    port = free_port()
    command = [emulator, "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
               "--runtime-api-address", f"127.0.0.1:{free_port()}", bootstrap]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**environment, **SETTINGS}, start_new_session=True)
        try:
            for _ in range(200):
                try:
                    request = urllib.request.Request(
                        f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations", b'{"Records": []}')
                    urllib.request.urlopen(request, timeout=10).close()
                    break
                except urllib.error.HTTPError:
                    break
                except OSError:
                    time.sleep(0.05)
        finally:
            os.killpg(process.pid, 9)
            process.wait()
        log.seek(0)
        said = log.read()
    if not (found := re.search(r"INIT REPORT\(durationMs: ([\d.]+)\)", said)):
        sys.exit(f"{bootstrap} did not start:\n{said[-2000:]}")
    return float(found[1])


def zipped(bootstrap: pathlib.Path) -> float:
    """Megabytes of the zip that is deployed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bootstrap, "bootstrap")
    return packed.tell() / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--emulator", type=pathlib.Path, required=True)
    parser.add_argument("--built", type=pathlib.Path, required=True, help="folder that `cargo lambda build` writes to")
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    bootstraps = {name: arguments.built / name / "bootstrap" for name in FUNCTIONS}
    times = {name: [] for name in FUNCTIONS}
    for _ in range(arguments.rounds):
        for name, bootstrap in bootstraps.items():
            times[name].append(start(arguments.emulator, bootstrap.resolve()))
    empty = statistics.median(times["empty"])
    print(f"{'function':<10} {'zip':>9} {'start-up':>10} {'of empty':>9}   median of {arguments.rounds}, in ms: least and most")
    for name, bootstrap in bootstraps.items():
        median = statistics.median(times[name])
        print(f"{name:<10} {zipped(bootstrap):>6.2f} MB {median:>7.1f} ms {median / empty:>8.2f}x   "
              f"{min(times[name]):.1f} to {max(times[name]):.1f}")


if __name__ == "__main__":
    main()
