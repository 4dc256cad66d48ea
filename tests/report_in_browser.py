#!/usr/bin/env python3
"""Opens the report in headless Chromium: it renders, the console stays silent, nothing runs over the page's edge, and
the numbers of the headline are those that gold gave when the lake was made.

Needs Python 3, a built `metriccare`, and Chromium: the system's own, else one from npm is kept below --browser.
Exit status: 0 all holds, 1 a check failed, 3 a tool is missing.
"""

import argparse
import html.parser
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from browser.chromium import Chromium, Missing

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


def check_width(chromium, page, width, keep, wrong):
    """Opens the page at a width: silent, and no wider than it. Returns the page as the browser has it."""
    chromium.show(page.as_uri(), width)
    wrong += [f"console: {words}" for words in chromium.complaints()]
    wide, high = chromium.value("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]")
    if chromium.value("document.body.innerText.length") < 2000:
        wrong.append(f"at {width} pixels the page shows no text: is there a font?")
    if wide > width:
        wrong.append(f"at {width} pixels the page is {wide} pixels wide: readers have to scroll sideways")
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        chromium.picture(keep / f"report-{width}.png", width, high)
    return chromium.value("document.documentElement.outerHTML")


def main():
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--binary", default=None, help="the metriccare command [default: target/release, then PATH]")
    words.add_argument("--patients", default="2000")
    words.add_argument("--browser", type=pathlib.Path, default=ROOT / "target/browser",
                       help="a folder for Chromium, where the system has none [default: target/browser]")
    words.add_argument("--keep", type=pathlib.Path, help="a folder to leave screenshots in")
    chosen = words.parse_args()
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
        try:
            with Chromium(chosen.browser) as chromium:
                doms = [check_width(chromium, out, width, chosen.keep, wrong) for width in WIDTHS]
        except Missing as error:
            missing(str(error))
        page = Numbers()
        page.feed(doms[0])
        wrong += [f"the page has a <{tag}> that leads out of it" for tag in page.foreign]
        compared = check_numbers(page, metrics, wrong)
        if compared < 10 or page.charts < 20 or page.comparison not in COMPARISONS:
            wrong.append(f"the page is not whole: {compared} numbers, {page.charts} charts, comparison {page.comparison!r}")
    for difference in wrong:
        print(difference)
    if wrong:
        sys.exit(1)
    print(f"the report holds: {compared} numbers equal gold's, {page.charts} charts, no console message, no overflow at {WIDTHS}")


if __name__ == "__main__":
    main()
