"""postgres.py - a private PostgreSQL cluster in a temporary folder, and fresh databases in it."""
import contextlib
import glob
import itertools
import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

import psycopg

from harness.base import accepts, end, free_port, spawn, wait_until

SIGNALS = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
CONF = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{folder}'
shared_buffers = 64MB
max_connections = 200
fsync = on
log_line_prefix = '%m [%p] %a '
"""


def bin_folder():
    """TOCSIN_PG_BIN, else the newest of Debian's, which are not on PATH."""
    if os.environ.get("TOCSIN_PG_BIN"):
        return os.environ["TOCSIN_PG_BIN"]
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda p: int(p.split("/")[4]))
    if not found:
        raise FileNotFoundError("no PostgreSQL server here: tests/setup.sh test")
    return os.path.dirname(found[-1])


class SmallDisk:
    """A file system of so many MB at .path, for the processes that are started behind .enter: a tmpfs in a mount namespace, which as
    long as one process lives outlasts a server's restarts. A user who is not root gets one inside a user namespace, where the
    system lets him; else OSError says why not."""

    def __init__(self, folder, mb, owner=None):
        """owner: of the folder, where root asks."""
        self.path = pathlib.Path(folder) / "small"
        self.path.mkdir()
        root = os.getuid() == 0
        uid, gid = os.getuid(), os.getgid()
        self.holder = spawn(["unshare", "--mount", *([] if root else ["--user", "--map-root-user"]), "sh", "-c",
                             f"mount -t tmpfs -o size={mb}m{f',uid={owner}' if owner else ''} tmpfs {self.path} && echo there && exec cat"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        said = self.holder.stdout.readline().strip()
        if said != "there":
            self.holder.wait()
            raise OSError(f"no file system of a few MB can be mounted here: {said}")
        enter = ["nsenter", "--target", str(self.holder.pid), "--mount"]
        # in a namespace of its own again, where it is itself and not root: the server refuses root
        self.enter = enter if root else [*enter, "--user", "--preserve-credentials", "unshare", "--user", f"--map-user={uid}", f"--map-group={gid}"]

    def close(self):
        self.holder.stdin.close()
        self.holder.wait()


class Postgres:
    """initdb refuses root: then everything runs as the user postgres, in a folder of its own outside root's home."""

    def __init__(self, settings=None, small_mb=None):
        """small_mb: with a tablespace `small` of that size, to be full."""
        self.bin = bin_folder()
        self.port = free_port()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-pg-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.become, owner = [], None
        self.process = self.disk = None
        if os.getuid() == 0:
            user = pwd.getpwnam("postgres")
            owner = user.pw_uid
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups"]
        subprocess.run([*self.become, f"{self.bin}/initdb", "-D", str(self.data), "-U", "tocsin", "-A", "trust", "--no-sync",
                        "--encoding=UTF8", "--locale=C.UTF-8"], cwd="/", check=True, capture_output=True)
        with open(self.data / "postgresql.conf", "a", encoding="utf-8") as conf:
            conf.write(CONF.format(port=self.port, folder=self.folder))
            conf.writelines(f"{key} = '{value}'\n" for key, value in (settings or {}).items())
        if small_mb:
            self.disk = SmallDisk(self.folder, small_mb, owner)
        self.start()
        if small_mb:
            with self.connect() as c:
                c.execute(f"CREATE TABLESPACE small LOCATION '{self.disk.path}'")

    def conninfo(self, database="postgres"):
        return f"host=127.0.0.1 port={self.port} user=tocsin dbname={database}"

    def connect(self, database="postgres", **options):
        return psycopg.connect(self.conninfo(database), autocommit=True, **options)

    def start(self):
        # One setpriv that changes the user and one that ties the server to us; the change of user would undo the tie.
        with open(self.log, "ab") as log:
            enter = self.disk.enter if self.disk else []
            self.process = spawn_as([*enter, *self.become], [f"{self.bin}/postgres", "-D", self.data], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, f"PostgreSQL answers; see {self.log}", 60)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError("PostgreSQL ended:\n" + self.log.read_text(encoding="utf-8", errors="replace")[-2000:])
        if not accepts(self.port):
            return False
        try:
            self.connect(connect_timeout=5).close()
            return True
        except psycopg.OperationalError:          # "the database system is starting up"
            return False

    def stop(self, mode="fast"):
        """immediate: as if it had crashed; the next start recovers from the log."""
        end(self.process, SIGNALS[mode], 60)

    def restart(self, mode="fast"):
        self.stop(mode)
        self.start()

    def remove(self):
        self.stop("immediate")
        if self.disk:
            self.disk.close()
        shutil.rmtree(self.folder, ignore_errors=True)


def spawn_as(become, command, **options):
    return spawn([*become, "setpriv", "--pdeathsig", "INT", "--", *command] if become else command, **options)


class Database:
    _numbers = itertools.count(1)

    def __init__(self, postgres, template=None, tablespace=None):
        self.postgres = postgres
        self.name = f"t{os.getpid()}_{next(self._numbers)}"
        self.conninfo = postgres.conninfo(self.name)
        with postgres.connect() as c:
            c.execute(f"CREATE DATABASE {self.name}" + (f" TEMPLATE {template}" if template else "") + (f" TABLESPACE {tablespace}" if tablespace else ""))

    def connect(self, **options):
        return self.postgres.connect(self.name, **options)

    def rows(self, sql, *parameters, role=None):
        with self.connect() as c:
            if role:
                c.execute(f"SET ROLE {role}")
            return c.execute(sql, parameters or None).fetchall()

    def one(self, sql, *parameters, role=None):
        return self.rows(sql, *parameters, role=role)[0][0]

    def execute(self, sql, *parameters):
        with self.connect() as c:
            c.execute(sql, parameters or None)

    def fill(self, leave_kb=0):
        """Until its tablespace is full: as PostgreSQL says it, "could not extend file ...: No space left on device". Nobody may be able to connect then: the
        session that filled it is the one that makes room."""
        c = self.filling = self.connect()
        c.execute("CREATE TABLE public.left_free (x text); ALTER TABLE public.left_free ALTER COLUMN x SET STORAGE PLAIN")
        c.execute("CREATE TABLE public.filler (x text); ALTER TABLE public.filler ALTER COLUMN x SET STORAGE PLAIN")
        c.execute("INSERT INTO public.left_free SELECT repeat('x', 8000) FROM generate_series(1, %s)", [leave_kb // 8])
        for piece in (1000, 100, 10, 1):
            with contextlib.suppress(psycopg.errors.DiskFull):
                while True:
                    c.execute("INSERT INTO public.filler SELECT repeat('x', 8000) FROM generate_series(1, %s)", [piece])
        c.execute("DROP TABLE public.left_free")

    def make_room(self):
        """The checkpoint: a recovery from a crash must not fill it again."""
        self.filling.execute("DROP TABLE public.filler")
        self.filling.execute("CHECKPOINT")
        self.filling.close()

    def drop(self):
        if self.postgres.process.poll() is None:
            with self.postgres.connect() as c:
                c.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
