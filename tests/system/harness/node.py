"""node.py - foreign JavaScript for the tests (webhook verifier, browser driver), by name from its registry into build/node."""
import contextlib
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
        stamp = self.folder / "installed.json"
        if not stamp.exists() or stamp.read_bytes() != PACKAGES.read_bytes():
            self.folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(PACKAGES, self.folder / "package.json")
            done = subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"],
                                  cwd=self.folder, capture_output=True, text=True, timeout=300, check=False)
            assert done.returncode == 0, f"npm install: {done.stdout}{done.stderr}"
            shutil.copy(PACKAGES, stamp)

    @contextlib.contextmanager
    def start(self, script, *arguments):
        """A script file that goes on beside the test: .line(seconds) is its next line; it ends with the block."""
        link = self.folder / pathlib.Path(script).name
        shutil.copy(script, link)
        process = spawn(["node", link, *arguments], stdout=subprocess.PIPE, text=True)
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
        link = self.folder / pathlib.Path(script).name
        shutil.copy(script, link)                # import looks for packages beside the script
        return subprocess.run(["node", str(link), *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, **(env or {})}, check=False)
