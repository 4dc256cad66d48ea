#!/usr/bin/env python3
"""Opens the report in headless Chromium: it renders, the console stays silent, nothing runs over the page's edge, and
the numbers of the headline are those that gold gave when the lake was made.

Needs Python 3, Chromium (Debian: apt-get install chromium) and a built `metriccare`; nothing is fetched.
Exit status: 0 all holds, 1 a check failed, 3 a tool is missing.
"""

import argparse
import html.parser
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTHS = (1280, 400)
COMPARISONS = {"Better Than the National Rate", "No Different Than the National Rate",
               "Worse Than the National Rate", "Number of Cases Too Small"}
SHARES = {"readmission", "mortality", "occupancy"}


class Numbers(html.parser.HTMLParser):
    """The `data` elements of a page: exact value and shown text by id; how many charts; and what must not be there."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.found, self.charts, self.foreign, self.inside, self.comparison = {}, 0, [], None, ""

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.inside = attributes.get("id") if tag in ("data", "span") else None
        if tag == "data":
            self.found[attributes["id"]] = [attributes["value"], ""]
        self.charts += tag == "svg"
        if tag in ("script", "iframe", "object") or (tag == "img") or (tag == "a" and not attributes["href"].startswith("#")):
            self.foreign.append(tag)

    def handle_data(self, text):
        if self.inside in self.found:
            self.found[self.inside][1] += text
        if self.inside == "comparison":
            self.comparison += text

    def handle_endtag(self, _tag):
        self.inside = None


def missing(what):
    print(f"not checked: {what}", file=sys.stderr)
    sys.exit(3)


def browse(chromium, *arguments):
    """One run of the browser in a profile of its own; what it printed, and its messages."""
    with tempfile.TemporaryDirectory() as profile:
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--hide-scrollbars", "--enable-logging=stderr", f"--user-data-dir={profile}"]
        done = subprocess.run([chromium, *flags, *arguments], capture_output=True, timeout=180, check=False)
    return done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def check_numbers(page, metrics, wrong):
    """Holds the page's numbers against gold's; returns how many were compared."""
    compared = 0
    for row in metrics:
        plain = row["denominator"] is None
        if row["value"] is None and not plain:
            continue
        name = row["metric"] + ("-" + row["definition"] if row["definition"] else "")
        if row["metric"] == "readmission" and row["definition"] != "hwr_65plus":
            continue
        if name not in page.found:
            wrong.append(f"{name} is not on the page")
            continue
        value, shown = page.found[name]
        if plain:
            expected, words = row["numerator"], f"{row['numerator']:,}"
        else:
            expected = row["value"]
            words = f"{expected * 100:.1f}\u00a0%" if row["metric"] in SHARES else f"{expected:.2f}"
            for part in ("numerator", "denominator"):
                if int(page.found[f"{name}-{part}"][0]) != row[part]:
                    wrong.append(f"{name}: the {part} is {page.found[f'{name}-{part}'][0]}, gold has {row[part]}")
        if float(value) != expected or shown != words:
            wrong.append(f"{name}: the page has {value} as {shown!r}, gold has {expected}")
        compared += 1
    return compared


def check_width(chromium, folder, page, width, keep, wrong):
    """Shows the page in a frame of a width, and asks how wide it came out. The frame stands in for a telephone: a
    browser's own window cannot be as narrow. The copy of the page alone has a script."""
    probe = "<script>onload=()=>parent.postMessage([document.documentElement.scrollWidth,document.documentElement.scrollHeight],'*')</script>"
    text = re.sub(r"<meta http-equiv=\"Content-Security-Policy\"[^>]*>", "", page).replace("</body>", probe + "</body>")
    (folder / "copy.html").write_text(text, encoding="utf-8")
    frame = folder / f"frame-{width}.html"
    frame.write_text(f"<!doctype html><body style='margin:0'><iframe src=copy.html width={width} height=9000 style='border:0;display:block'></iframe>"
                     "<script>onmessage=e=>document.body.dataset.size=e.data.join()</script>", encoding="utf-8")
    dom, _ = browse(chromium, "--virtual-time-budget=5000", "--dump-dom", f"file://{frame}")
    size = re.search(r'data-size="(\d+),(\d+)"', dom)
    if not size:
        wrong.append(f"at {width} pixels the page did not load")
    elif int(size[1]) > width:
        wrong.append(f"at {width} pixels the page is {size[1]} pixels wide: readers have to scroll sideways")
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        browse(chromium, f"--window-size={max(width, 500)},9000", f"--screenshot={keep}/report-{width}.png", f"file://{frame}")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--binary", default=None, help="the metriccare command [default: target/release, then PATH]")
    words.add_argument("--patients", default="2000")
    words.add_argument("--keep", type=pathlib.Path, help="a folder to leave screenshots in")
    chosen = words.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome")
    chromium = next(filter(None, map(shutil.which, names)), None)
    if not chromium:
        missing("there is no Chromium; Debian has it as `apt-get install chromium`")
    built = ROOT / "target/release/metriccare"
    binary = shutil.which(chosen.binary or built) or (None if chosen.binary else shutil.which("metriccare"))
    if not binary:
        missing("there is no metriccare command; build it with `cargo build --release`, or name it with --binary")
    wrong = []
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        lake, out = str(folder / "lake"), folder / "report.html"
        made = subprocess.run([binary, "run", "--patients", chosen.patients, "--lake", lake, "--json"],
                              capture_output=True, check=True)
        metrics = json.loads(made.stdout)["metrics"]
        subprocess.run([binary, "report", "--lake", lake, "--out", str(out)], capture_output=True, check=True)
        dom, messages = browse(chromium, "--dump-dom", f"file://{out}")
        wrong += [f"console: {line}" for line in messages.splitlines() if ":CONSOLE" in line]
        page = Numbers()
        page.feed(dom)
        wrong += [f"the page has a <{tag}> that leads out of it" for tag in page.foreign]
        compared = check_numbers(page, metrics, wrong)
        if compared < 10 or page.charts < 20 or page.comparison not in COMPARISONS:
            wrong.append(f"the page is not whole: {compared} numbers, {page.charts} charts, comparison {page.comparison!r}")
        for width in WIDTHS:
            check_width(chromium, folder, out.read_text(encoding="utf-8"), width, chosen.keep, wrong)
    for difference in wrong:
        print(difference)
    if wrong:
        sys.exit(1)
    print(f"the report holds: {compared} numbers equal gold's, {page.charts} charts, no console message, no overflow at {WIDTHS}")


if __name__ == "__main__":
    main()
