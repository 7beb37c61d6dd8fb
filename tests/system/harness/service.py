"""service.py - the real binary, configured for a test: started, asked, killed, started again."""
import configparser
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import weakref

import requests

from harness.base import FLAVOUR, TOP, end, program, spawn, wait_until
from harness.sse import Stream

KINDS = ("ticks", "news", "reference", "facts")
SEAL_KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"    # the same for all: two services may share a database
SANITIZER_WORDS = ("ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "WARNING: ThreadSanitizer", "runtime error:", "Assertion `")
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": f"halt_on_error=0:exitcode=99:second_deadlock_stack=1:suppressions={TOP}/tests/tsan.supp",
}


def command(*arguments, binary=None):
    # gcc 12's TSan does not start under a widely randomized address space
    plain = ["setarch", os.uname().machine, "-R"] if FLAVOUR == "tsan" else []
    return [*plain, str(binary or program()), *arguments]


class Service:
    """.url .port .key .tenant .conninfo .topics .log; start() has waited for /readyz."""
    _numbers = itertools.count(1)
    running = weakref.WeakSet()                # those whose log a failing test shows

    def __init__(self, database, bootstrap, topics, first=(), config=None, tenant="acme", group=None, env=None, binary=None):
        self.database = database
        self.binary = binary                   # None: the one under test
        self.conninfo = database.conninfo
        self.topics = list(topics)
        self.tenant = tenant
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-service-"))
        self.ini = self.folder / "tocsin.ini"
        self.log_file = self.folder / "log"
        clean = {k: v for k, v in os.environ.items() if not k.startswith("TOCSIN_")}     # those would override the file
        self.env = {**clean, **SANITIZER_ENV, **(env or {})}
        self.process = None
        self.expected_dead = True
        self.port = int((config or {}).get("api", {}).get("port", 0))
        self.config = {
            "kafka": {"brokers": bootstrap, "group": group or f"tocsin-{os.getpid()}-{next(self._numbers)}", "topics": ",".join(self.topics),
                      "first": ",".join(first)},
            "database": {"conninfo": self.conninfo},
            "api": {"bind": "127.0.0.1", "port": "0"},
            "webhooks": {"allow_http": "true", "allow_private": "true"},
            "secrets": {"key_file": str(self.folder / "secrets.key")},
            "engine": {},
            "quality": {"shares": "take"},     # the streams' counts are random: what is held is test_quality.py's
        }
        for section, values in (config or {}).items():
            self.config.setdefault(section, {}).update({k: str(v) for k, v in values.items()})
        self.write_seal_keys(SEAL_KEY)
        self.write_config()
        self.check_ran("migrate")
        self.key = self.new_key(tenant)
        self.tenant_id = str(self.database.one("SELECT tenant_id FROM tocsin.tenant WHERE name = %s", tenant))

    # ---- the command line ----
    def write_config(self):
        ini = configparser.ConfigParser(interpolation=None)
        ini.optionxform = str
        ini.read_dict(self.config)
        with open(self.ini, "w", encoding="utf-8") as out:
            ini.write(out)

    def write_seal_keys(self, *keys):
        """The key file: hex or base64, the first one seals."""
        path = self.folder / "secrets.key"
        path.unlink(missing_ok=True)
        path.touch(0o600)
        path.write_text("".join(k + "\n" for k in keys), encoding="utf-8")

    def tocsin(self, *arguments, timeout=300):
        """Runs a subcommand on this service's configuration; its CompletedProcess with text output."""
        return subprocess.run([*command(*arguments, binary=self.binary), "-c", str(self.ini)], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=timeout, check=False)

    def check_ran(self, *arguments):
        done = self.tocsin(*arguments)
        assert done.returncode == 0, f"tocsin {' '.join(arguments)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def new_key(self, tenant):
        return self.check_ran("keys", "create", "--tenant", tenant, "--quiet").strip()

    # ---- the life of the process ----
    def start(self, wait=True):
        """Returns when /readyz says so; wait=False: at once."""
        seen = self.log_file.stat().st_size if self.log_file.exists() else 0
        with open(self.log_file, "ab") as log:
            self.process = spawn([*command("serve", binary=self.binary), "-c", self.ini], cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL,
                                 stdout=log, stderr=log)
        self.expected_dead = False
        self.running.add(self)
        if not self.port:
            self.port = int(wait_until(lambda: self._field(seen, "listening", "port"), "tocsin says where it listens", 60))
            # The next start takes the same port, so that clients that keep trying find it again.
            self.config["api"]["port"] = str(self.port)
            self.write_config()
        if wait:
            self.wait_ready()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _field(self, seen, message, field):
        if self.process.poll() is not None:
            raise AssertionError(f"tocsin ended with {self.process.returncode}:\n{self.log[-4000:]}")
        with open(self.log_file, "rb") as log:
            log.seek(seen)
            for line in log:
                if message.encode() in line and line.startswith(b"{") and line.endswith(b"\n"):
                    entry = json.loads(line)
                    if entry.get("message") == message:
                        return entry[field]
        return None

    def ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"tocsin ended with {self.process.returncode}:\n{self.log[-4000:]}")
        try:
            return requests.get(self.url + "/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def wait_ready(self, seconds=60):
        wait_until(self.ready, f"/readyz says so; log:\n{self.log[-3000:]}", seconds)

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        self.expected_dead = True
        self.process.kill()
        self.process.wait()

    def terminate(self, seconds=15):
        """SIGTERM; returns the exit code."""
        self.expected_dead = True
        return end(self.process, signal.SIGTERM, seconds)

    def restart(self, hard=False, wait=True):
        self.kill9() if hard else self.terminate()
        return self.start(wait)

    def close(self):
        """The end of the test: the process ends in good order, and no sanitizer or assertion spoke up."""
        died = self.process is not None and not self.expected_dead and not self.alive
        if self.alive:
            self.terminate()
        said = [line for line in self.log.splitlines() if any(word in line for word in SANITIZER_WORDS)]
        self.running.discard(self)
        if not said and not died:
            shutil.rmtree(self.folder, ignore_errors=True)
        assert not said, f"see {self.log_file}\n" + "\n".join(said)
        assert not died, f"tocsin ended by itself with {self.process.returncode}, see {self.log_file}\n{self.log[-3000:]}"

    # ---- its log ----
    @property
    def complaints(self):
        """The newest warnings and errors, and what is no entry at all."""
        return [line for line in self.log.splitlines() if '"level":"debug"' not in line and '"level":"info"' not in line][-30:]

    @property
    def log(self):
        return self.log_file.read_text(encoding="utf-8", errors="replace") if self.log_file.exists() else ""

    @property
    def log_entries(self):
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    # ---- its API ----
    def api(self, method, path, json=None, headers=None, key=None, timeout=30, **more):
        """A requests.Response. `key`: another tenant's; "" sends none."""
        key = self.key if key is None else key
        auth = {"Authorization": f"Bearer {key}"} if key else {}
        return requests.request(method, self.url + path, json=json, headers={**auth, **(headers or {})}, timeout=timeout, **more)

    def measure(self, text, key=None):
        """The measure's row of /v1/measures, or None while it is not there."""
        answer = self.api("GET", "/v1/measures", params={"m": text}, key=key)
        return answer.json()["measures"][0] if answer.status_code == 200 else None

    def stream(self, last_event_id=None, key=None):
        """The live stream as a context manager; see sse.py."""
        return Stream(self.url + "/v1/stream", key or self.key, last_event_id)
