"""files.py: which files the project consists of, seen from its top folder."""
import pathlib
import subprocess

TOP = pathlib.Path(__file__).resolve().parents[2]


def project_files():
    """Tracked files and those about to be (not ignored); without git, all outside build/."""
    listed = subprocess.run(["git", "-C", str(TOP), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, check=False)
    if listed.returncode == 0:
        names = [n for n in listed.stdout.decode().split("\0") if n]
    else:
        names = [str(p.relative_to(TOP)) for p in TOP.rglob("*") if p.is_file() and ".git" not in p.parts]
        names = [n for n in names if not n.startswith("build/") and "__pycache__" not in n]
    return sorted(n for n in set(names) if (TOP / n).is_file())


def text_of(name):
    """The file's text, or None when it is no text."""
    try:
        return (TOP / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None
