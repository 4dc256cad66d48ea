#!/usr/bin/env python3
"""Counts the instructions that bronze takes for a fixed file, and holds them against tests/benches/instructions.json.

usage: instructions.py FLATTEN_FILE [--write]

FLATTEN_FILE is the example `flatten_file` as `cargo test` builds it. Counts hardly differ from run to run, so that a
regression of a few per cent is seen where clocks see noise. `--write` takes the present count as the right one. Exit status 3
where valgrind is missing, or the compiler or the machine is another than that of the count.
"""
import hashlib
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

KEPT = pathlib.Path(__file__).with_name("instructions.json")
TOLERANCE = 0.03

ENCOUNTER = """{"resourceType":"Encounter","id":"enc-%(n)07d","meta":{"versionId":"1","lastUpdated":"2025-03-%(day)02dT08:00:00Z"},\
"status":"completed","class":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"IMP"}]}],\
"type":[{"text":"Inpatient"}],"subject":{"reference":"Patient/p-%(patient)06d"},"participant":[{"type":[{"text":"attending \
physician"}],"actor":{"reference":"Practitioner/d-%(doctor)03d","display":"Doctor %(doctor)d"}}],"actualPeriod":{"start":\
"2025-03-%(day)02dT06:10:00+02:00","end":"2025-03-%(day)02dT09:45:00+02:00"},"reason":[{"value":[{"concept":{"coding":[{"system":\
"http://hl7.org/fhir/sid/icd-10-cm","code":"I50.%(code)d","display":"Heart failure %(code)d"}]}}]}],"location":[{"location":\
{"display":"Ward %(ward)d"},"status":"completed"}],"serviceProvider":{"display":"Hospital %(hospital)d"}}
"""


def encounters(file, count=4_000):
    with file.open("w") as out:
        for n in range(count):
            out.write(ENCOUNTER % {"n": n, "day": n % 28 + 1, "patient": n * 7 % 900, "doctor": n % 131, "code": n % 10,
                                   "ward": n % 17, "hospital": n % 5})


def count(flatten_file):
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        encounters(work / "encounter.ndjson")
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={work / 'callgrind'}", flatten_file,
             work / "encounter.ndjson", work / "out", "1"],
            capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(run.stderr)
        return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def processor():
    """A digest of what the processor can do: the C library chooses its copies by that."""
    try:
        flags = re.search(r"^(?:flags|Features)\s*:\s*(.+)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        flags = None
    return hashlib.sha256(flags.group(1).encode()).hexdigest()[:12] if flags else "unknown"


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if not shutil.which("valgrind"):
        print("SKIPPED: valgrind is not installed (Debian: apt-get install valgrind)")
        sys.exit(3)
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    place = {"rust": rust, "machine": platform.machine(), "libc": " ".join(platform.libc_ver()), "processor": processor()}
    found = count(sys.argv[1])
    if "--write" in sys.argv:
        KEPT.write_text(json.dumps({**place, "instructions": found}, indent=2) + "\n")
        print(f"{found:,} instructions are the right number from now on")
        return
    if not KEPT.is_file():
        print(f"SKIPPED: there is no {KEPT.name} yet, --write makes it; {found:,} instructions here")
        sys.exit(3)
    kept = json.loads(KEPT.read_text())
    if any(kept[name] != value for name, value in place.items()):
        print(f"SKIPPED: the count was made with {kept}, this is {place}; {found:,} instructions here")
        sys.exit(3)
    change = found / kept["instructions"] - 1
    print(f"{found:,} instructions, {change:+.1%} against {kept['instructions']:,}")
    if change > TOLERANCE:
        sys.exit("bronze takes more instructions than it did: make it as fast as it was, or say why and run this with --write")
    if change < -TOLERANCE:
        sys.exit("bronze takes fewer instructions than it did: run this with --write, so that it stays so")


if __name__ == "__main__":
    main()
