"""ministack on a free port of the loopback, ended by its own pid."""
import os
import pathlib
import socket
import subprocess
import time
import urllib.request


class Ministack:
    def __init__(self, programs: pathlib.Path, work: pathlib.Path):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            # The functions that it runs use the same endpoint.
            "AWS_ENDPOINT_URL": self.endpoint,
        }
        self.log = work / "ministack.log"
        settings = {"BIND_HOST": "127.0.0.1", "MINISTACK_HOST": "127.0.0.1", "GATEWAY_PORT": str(self.port),
                    "LAMBDA_EXECUTOR": "local", "IOT_MTLS_ENABLED": "0"}
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([programs / "ministack"], cwd=work, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log, env={**self.environment, **settings}, start_new_session=True)

    def __enter__(self):
        for _ in range(600):
            if self.process.poll() is not None:
                raise SystemExit(f"ministack ended with {self.process.returncode}: see {self.log}")
            try:
                urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=1).close()
                return self
            except urllib.error.HTTPError:
                return self
            except OSError:
                time.sleep(0.1)
        raise SystemExit(f"ministack does not answer at {self.endpoint}: see {self.log}")

    def __exit__(self, *_):
        # Its own session: the functions that it started end with it. SIGTERM does not always end it.
        os.killpg(self.process.pid, 9)
        self.process.wait()
