"""A headless Chromium that is asked over its DevTools pipe; the system's own, else one from npm, kept below a folder.

The package from npm holds a build without a desktop, for x86-64 Linux. It brings the libraries and one font that a bare
server lacks. `package-lock.json` pins it.
"""

import base64
import fcntl
import json
import os
import pathlib
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
NAMES = ("chromium", "chromium-browser", "google-chrome")
PATIENCE = 60  # seconds that one answer may take on a busy machine


class Missing(Exception):
    """No Chromium is to be had here, and why."""


def found(place):
    """The program and the environment it needs: the system's Chromium, else the one from npm, installed below `place`."""
    system = next(filter(None, map(shutil.which, NAMES)), None)
    if system:
        return system, dict(os.environ)
    place = place / "chromium"
    if not (place / "complete").is_file():
        install(place)
    libraries = ":".join(filter(None, (str(place), str(place / "lib"), os.environ.get("LD_LIBRARY_PATH"))))
    return str(place / "chromium"), os.environ | {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_PATH": str(place)}


def install(place):
    """Installs the pinned package and unpacks it."""
    if (platform.system(), platform.machine()) != ("Linux", "x86_64"):
        raise Missing("there is no Chromium, and npm has one for x86-64 Linux only: install Chromium or Chrome")
    if not shutil.which("npm") or not shutil.which("node"):
        raise Missing("there is no Chromium, nor Node.js with npm to fetch one: install either (Debian: chromium, or npm)")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, place)
    try:
        for command in (["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
                        ["node", str(HERE / "unpack.mjs")]):
            subprocess.run(command, cwd=place, check=True, capture_output=True, timeout=600)
        for archive in place.glob("*.tar"):
            shutil.unpack_archive(archive, place, filter="data")
            archive.unlink()
    except (subprocess.SubprocessError, OSError, shutil.ReadError) as error:
        said = (getattr(error, "stderr", None) or b"").decode("utf-8", "replace").strip()
        raise Missing(f"there is no Chromium, and none could be had from npm: {error}\n{said}") from error
    shutil.rmtree(place / "node_modules")
    # The package's own list of fonts names a folder of another system.
    (place / "fonts.conf").write_text(f"<fontconfig><dir>{place}/fonts</dir><cachedir>{place}/font-cache</cachedir></fontconfig>")
    (place / "complete").write_text("")


class Chromium:
    """One browser process and one page in it, in a profile of its own."""

    def __init__(self, place):
        program, environment = found(place)
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = ["--headless", "--remote-debugging-pipe", "--no-sandbox", "--no-zygote", "--disable-gpu", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
                 f"--user-data-dir={self.profile.name}"]
        # The browser reads commands on descriptor 3 and answers on 4; ours are moved out of the way first.
        (commands, to), (of, answers) = os.pipe(), os.pipe()
        commands, answers = (fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (commands, answers))
        actions = [(os.POSIX_SPAWN_DUP2, commands, 3), (os.POSIX_SPAWN_DUP2, answers, 4)]
        actions += [(os.POSIX_SPAWN_OPEN, end, os.devnull, os.O_RDWR, 0) for end in (0, 1, 2)]
        self.process = os.posix_spawn(program, [program, *flags, "about:blank"], environment, file_actions=actions)
        self.to, self.of = to, of
        os.set_blocking(of, False)
        self.buffer, self.number, self.session, self.events = b"", 0, None, []
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.ask(f"{domain}.enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.profile.cleanup()

    def message(self, deadline):
        """The next message of the browser."""
        while b"\0" not in self.buffer:
            try:
                piece = os.read(self.of, 1 << 20)
            except BlockingIOError:
                piece = None
            if piece == b"" or time.monotonic() > deadline:
                sys.exit("the browser does not answer")
            if piece:
                self.buffer += piece
            else:
                time.sleep(0.01)
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def ask(self, method, **parameters):
        """Sends a command and waits for its answer; events that come meanwhile are kept."""
        self.number += 1
        command = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            command["sessionId"] = self.session
        os.write(self.to, json.dumps(command).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            message = self.message(deadline)
            if message.get("id") == self.number:
                if "error" in message:
                    sys.exit(f"{method}: {message['error']['message']}")
                return message["result"]
            self.events.append(message)

    def show(self, url, width):
        """Opens a page at a width, as a telephone or a desk has it, and waits until it is loaded."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.events.clear()
        self.ask("Page.navigate", url=url)
        deadline = time.monotonic() + PATIENCE
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message(deadline))

    def value(self, expression):
        """What an expression is on the page."""
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def complaints(self):
        """What the page said to the console, and what went wrong in it, since it was opened."""
        said = []
        for event in self.events:
            words = event.get("params", {})
            if event.get("method") == "Runtime.consoleAPICalled":
                said.append(" ".join(str(part.get("value", part.get("description"))) for part in words["args"]))
            elif event.get("method") == "Runtime.exceptionThrown":
                said.append(words["exceptionDetails"]["text"])
            elif event.get("method") == "Log.entryAdded":
                said.append(words["entry"]["text"])
        return said

    def picture(self, path, width, height):
        """Leaves a picture of the whole page."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))
