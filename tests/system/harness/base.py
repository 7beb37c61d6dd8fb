"""base.py - folders, ports, child processes that never outlive the tests, and waiting with a deadline."""
import contextlib
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("TOCSIN_BUILD_DIR", TOP / "build")).resolve()
FLAVOUR = os.environ.get("TOCSIN_BUILD", "release")
LONG = os.environ.get("TOCSIN_LONG") == "1"
# Of the generated markets: make test says the same of the same tree every time, make test-long looks further.
SEED = int(os.environ.get("TOCSIN_SEED") or (random.SystemRandom().randrange(2 ** 32) if LONG else 20261130))
SLOW = {"release": 1, "asan": 3, "tsan": 10}.get(FLAVOUR, 1)       # sanitized programs get more time


def program(name="tocsin"):
    """A program of the flavour under test."""
    path = BUILD / FLAVOUR / name
    if not path.exists():
        raise FileNotFoundError(f"{path}: run make first")
    return str(path)


def _ports():
    """Below the range that the system hands out to outgoing connections: a client that retries while its server is down must
    not be connected to itself. Each worker of pytest-xdist has a part of its own: a server that is down for a moment finds its
    port free when it comes back."""
    worker, workers = os.environ.get("PYTEST_XDIST_WORKER", "gw0"), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    number = int(worker.removeprefix("gw")) % workers         # one that stands in for a worker that died has a higher number
    part = (32000 - 20000) // workers
    return range(20000 + number * part, 20000 + (number + 1) * part)


PORTS = _ports()


def free_port():
    while True:
        port = random.SystemRandom().choice(PORTS)
        with contextlib.suppress(OSError), socket.socket() as s:
            s.bind(("127.0.0.1", port))
            return port


def spawn(command, **options):
    """A child that gets SIGKILL when this process dies, however that happens."""
    return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *map(str, command)], **options)


def accepts(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(condition, what, seconds=30, step=0.02):
    """The first true value of condition(); an AssertionError that says `what` after the deadline."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds * SLOW} s: {what}")
        time.sleep(step)


def end(process, gently=signal.SIGTERM, seconds=15):
    """Ends a child of ours: a signal, then SIGKILL. Returns its exit code."""
    if process.poll() is None:
        process.send_signal(gently)
        try:
            process.wait(seconds * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()
