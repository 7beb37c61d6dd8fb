"""node.py - foreign JavaScript for the tests (webhook verifier, browser driver), by name from its registry into build/node."""
import contextlib
import fcntl
import os
import pathlib
import queue
import shutil
import subprocess
import threading

from harness.base import BUILD, end, spawn

PACKAGES = pathlib.Path(__file__).resolve().parents[1] / "package.json"


class Node:
    def __init__(self):
        self.folder = BUILD / "node"
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / "lock", "w", encoding="utf-8") as lock:        # two that come at once: the second finds it done
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._install()

    def _install(self):
        stamp = self.folder / "installed.json"
        if not stamp.exists() or stamp.read_bytes() != PACKAGES.read_bytes():
            shutil.copy(PACKAGES, self.folder / "package.json")
            done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
                                  cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, f"npm install: {done.stdout}{done.stderr}"
            shutil.copy(PACKAGES, stamp)

    def _beside(self, script):
        """import looks for packages beside the script: a copy of it there, whole at any time."""
        link = self.folder / pathlib.Path(script).name
        own = link.with_suffix(f".{os.getpid()}{link.suffix}")
        shutil.copy(script, own)
        return own.replace(link)

    @contextlib.contextmanager
    def start(self, script, *arguments):
        """A script file that goes on beside the test: .line(seconds) is its next line; it ends with the block."""
        process = spawn(["node", self._beside(script), *arguments], stdout=subprocess.PIPE, text=True)
        lines = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(text.rstrip("\n")) for text in process.stdout], daemon=True)
        reader.start()
        process.line = lambda seconds=30: lines.get(timeout=seconds)
        try:
            yield process
        finally:
            end(process)
            reader.join(5)

    def run(self, script, *arguments, stdin=None, timeout=120, env=None):
        """Runs a script file; a CompletedProcess with text output. require() and import find the packages."""
        return subprocess.run(["node", str(self._beside(script)), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})}, check=False)
