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


def free_port():
    """Below the range that the system hands out to outgoing connections: a client that retries while its server is down must
    not be connected to itself."""
    while True:
        port = random.SystemRandom().randrange(20000, 32000)
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
