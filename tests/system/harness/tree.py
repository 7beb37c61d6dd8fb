"""tree.py - a copy of the project's tree with what is built, in which a test changes something and builds anew only what follows from it."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from harness.base import BUILD, FLAVOUR, TOP

sys.path.insert(0, str(TOP / "tests/check"))
import files  # noqa: E402

BUILT = (".o", ".d", ".a", ".c")
# A compiler cache, where there is one, need not know that each copy lies somewhere else.
COMPILER = ["CC=ccache gcc"] if shutil.which("ccache") and FLAVOUR == "release" else []
SAME_EVERYWHERE = {"CCACHE_NOHASHDIR": "1"}
NOT_MAKES = ("MAKE", "MFLAGS")                # a make around the tests is not the one in here


class Tree:
    """.add(name, source), .row(list, after, row), .make("all"), .program, .touched(); times are kept, so that make sees what is new."""

    def __init__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-tree-"))
        self.names = files.project_files()
        for name in self.names:
            self._copy(TOP / name, self.top / name)
        flavour = BUILD / FLAVOUR
        for path in flavour.rglob("*"):
            if path.is_file() and (path.suffix in BUILT or path.name in ("ready", "tocsin")) and "tests" not in path.relative_to(flavour).parts:
                self._copy(path, self.top / "build" / FLAVOUR / path.relative_to(flavour))
        for name in ("web", "npm/installed-lock.json"):                # the chart library
            if (BUILD / name).is_dir():
                shutil.copytree(BUILD / name, self.top / "build" / name)
            elif (BUILD / name).exists():
                self._copy(BUILD / name, self.top / "build" / name)

    @staticmethod
    def _copy(source, target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target)

    @property
    def program(self):
        return self.top / "build" / FLAVOUR / "tocsin"

    def add(self, name, source):
        """A new file, with the text of tests/system/`source`."""
        assert not (self.top / name).exists(), name
        (self.top / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(TOP / "tests/system" / source, self.top / name)

    def write(self, name, text):
        """A new file."""
        assert not (self.top / name).exists(), name
        (self.top / name).write_text(text, encoding="utf-8")

    def row(self, name, after, row):
        """A new line behind the one that begins with `after`."""
        text = (self.top / name).read_text(encoding="utf-8").splitlines(keepends=True)
        at = [n for n, line in enumerate(text) if line.startswith(after)]
        assert len(at) == 1, (name, after)
        (self.top / name).write_text("".join([*text[:at[0] + 1], row + "\n", *text[at[0] + 1:]]), encoding="utf-8")

    def run(self, *command):
        env = {k: v for k, v in os.environ.items() if not k.startswith(NOT_MAKES)} | SAME_EVERYWHERE
        done = subprocess.run([str(c) for c in command], cwd=self.top, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout[-4000:]}{done.stderr[-4000:]}"
        return done.stdout

    def make(self, *targets):
        """Returns what was compiled."""
        out = self.run("make", "--no-print-directory", *COMPILER, *targets)
        return [line.split()[1] for line in out.splitlines() if line.startswith("  CC ")]

    def touched(self):
        """Files that are new or differ from the project's."""
        now = [str(p.relative_to(self.top)) for p in self.top.rglob("*") if p.is_file() and p.relative_to(self.top).parts[0] != "build"]
        return sorted(n for n in now if n not in self.names or (self.top / n).read_bytes() != (TOP / n).read_bytes())

    def remove(self):
        shutil.rmtree(self.top, ignore_errors=True)
