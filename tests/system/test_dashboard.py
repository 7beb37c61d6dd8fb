"""`tocsin demo` as a new user has it: its page in a real Chromium, its alerts at a webhook receiver and on the stream."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import signal
import subprocess
import tempfile

import psycopg
import pytest
import requests

from harness.base import BUILD, SLOW, end, free_port, spawn, wait_until
from harness.service import SANITIZER_ENV, command

HERE = pathlib.Path(__file__).parent
STARTED = re.compile(r"(http://127\.0\.0\.1:\d+)/#key=(mk_live_\w+)")


@pytest.fixture(scope="module")
def demo():
    """(url, key, what it says, its process) of a running demo, in a data folder of its own."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-demo-"))
    folder.chmod(0o755)
    said = folder / "said"
    with open(said, "wb") as out:
        process = spawn(command("demo", "--port", str(free_port()), "--data", str(folder / "data")), env={**os.environ, **SANITIZER_ENV},
                        stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def started():
        assert process.poll() is None, said.read_text()
        return STARTED.search(said.read_text())

    found = wait_until(started, f"the demo says where its page is; see {said}", 120)
    wait_until(lambda: "Ctrl-C" in said.read_text(), "the demo has said everything", 60)
    yield found.group(1), found.group(2), said, process
    assert end(process, signal.SIGINT, 60) == 0, said.read_text()
    assert "Stopped." in said.read_text()
    subprocess.run(["rm", "-rf", folder], check=False)


def test_the_private_server_has_all_its_settings(demo):
    """Asked of the running server, by the SQL line that the demo prints."""
    said = demo[2]
    settings = {"listen_addresses": "", "unix_socket_permissions": "0700", "shared_buffers": "64MB", "max_connections": "60",
                "max_wal_size": "512MB", "log_min_messages": "warning", "log_checkpoints": "off", "logging_collector": "off"}
    with psycopg.connect(re.search(r'^ *SQL .*psql "(.+)"$', said.read_text(), re.M)[1], autocommit=True) as db:
        shown = {name: db.execute(f"SHOW {name}").fetchone()[0] for name in settings}
        given = {name for name, in db.execute("SELECT name FROM pg_settings WHERE source = 'command line'")}
    assert shown == settings
    assert settings.keys() <= given, "some is only the server's default"


@pytest.mark.skipif(os.getuid() != 0, reason="only root has something to give up")
def test_root_is_given_up(demo):
    """In every thread, for good and with all its groups and capabilities; and no process beside it has any of root's."""
    process, user = demo[3], pwd.getpwnam("postgres")
    threads, servers = list(pathlib.Path(f"/proc/{process.pid}/task").iterdir()), children(process.pid)
    assert len(threads) > 5 and servers, "the service's, and the database server"
    for task in (*threads, *servers, *(p for s in servers for p in children(s.name))):
        if has := fields(task):
            assert has["Uid"].split() == [str(user.pw_uid)] * 4 and has["Gid"].split() == [str(user.pw_gid)] * 4, (task, has["Name"])
            assert "0" not in has["Groups"].split() and [int(has[c], 16) for c in ("CapInh", "CapPrm", "CapEff", "CapAmb")] == [0] * 4, (task, has["Name"])
    assert requests.get(demo[0] + "/readyz", timeout=30).status_code == 200


def fields(task):
    """Of /proc/N/status; none of a process that has just ended."""
    with contextlib.suppress(OSError):
        return {k: v.strip() for k, v in (line.split(":", 1) for line in (task / "status").read_text(encoding="ascii", errors="replace").splitlines())}
    return {}


def children(pid):
    return [p for p in pathlib.Path("/proc").glob("[0-9]*") if fields(p).get("PPid") == str(pid)]


def test_the_page_moves_and_alerts_arrive(demo, node):
    url, key = demo[:2]
    pictures = pathlib.Path(os.environ.get("OUT", BUILD)) / "dashboard.png"
    done = node.run(HERE / "browser" / "dashboard.test.mjs", timeout=240 * SLOW,
                    env={"TOCSIN_URL": f"{url}/#key={key}", "TOCSIN_SCREENSHOT": str(pictures)})
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"^\d+ passed, 0 failed$", done.stdout, re.M), done.stdout


def test_the_printed_curl_fires_at_a_webhook_and_on_the_stream(demo, webhook_receiver):
    """The very command lines that the demo prints, pasted into a shell."""
    url, key, said, _ = demo
    auth = {"Authorization": f"Bearer {key}"}
    made = requests.post(f"{url}/v1/channels", json={"kind": "webhook", "url": webhook_receiver.url}, headers=auth, timeout=30)
    assert made.status_code == 201, made.text
    text = said.read_text().replace("\\\n", " ")
    create, stream = [line.strip() for line in text.splitlines() if line.strip().startswith("curl ")][:2]
    listening = spawn(["bash", "-c", "exec " + stream], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    os.set_blocking(listening.stdout.fileno(), False)
    seen = []
    heard = lambda: seen.append(listening.stdout.read() or b"") or b"".join(seen)
    try:
        wait_until(heard, "the stream is open: its first heartbeat has come")
        answer = subprocess.run(["bash", "-c", create], capture_output=True, text=True, timeout=60, check=True)
        assert '"version":1' in answer.stdout.replace(" ", ""), answer.stdout
        alert = webhook_receiver.wait(1)[0].json()
        assert (alert["state"], alert["rule"]["name"]) == ("firing", "Concentration")
        wait_until(lambda: alert["id"].encode() in heard(), "the stream shows it too")
    finally:
        listening.kill()
        listening.wait()


SPAN_POINTS = 2 * 900 * 1.25                 # two lines, a point a second, the shortest range of 15 minutes and the slack that chart.js keeps


def held(demo, node, minutes, hurry):
    url, key = demo[:2]
    done = node.run(HERE / "browser" / "heap.mjs", minutes, hurry, timeout=minutes * 60 / hurry + 300 * SLOW, env={"TOCSIN_URL": f"{url}/#key={key}"})
    assert done.returncode == 0, done.stdout + done.stderr
    samples = json.loads(done.stdout)
    assert len(samples) == minutes // 5
    return samples


def check_flat(samples):
    """What a full chart holds twice over: once it is full, and at the end. Each is the most of three samples, since what is dropped goes in steps."""
    print(*("{minute:3} min: {heap} bytes, {nodes} nodes, {listeners} listeners, {points} points".format(**s) for s in samples), sep="\n")
    most = lambda what, part: max(s[what] for s in part)
    early, late = samples[1:4], samples[-3:]
    assert most("heap", late) <= 1.05 * most("heap", early), samples
    assert most("nodes", late) <= 1.2 * most("nodes", early) and most("listeners", late) <= most("listeners", early), samples
    assert most("points", samples) <= SPAN_POINTS + 4, samples


@pytest.mark.timeout(600)
def test_a_page_that_is_open_for_long_holds_on_to_no_more(demo, node):
    """35 minutes in the time that 2,100 polls take."""
    check_flat(held(demo, node, 35, 300))


@pytest.mark.long
@pytest.mark.timeout(3000)
def test_a_page_that_is_open_for_half_an_hour_holds_on_to_no_more(demo, node):
    check_flat(held(demo, node, 35, 1))
