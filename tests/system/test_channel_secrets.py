"""Secrets of channels at rest: sealed under the operator's key, also those an older program left in the open, and never taken for another's."""
import base64
import os
import pathlib
import stat
import subprocess

import pytest

import drive
from harness.base import TOP, wait_until
from harness.service import SEAL_KEY, command
from harness.webhook import WebhookReceiver, signed_by

FILES = sorted(pathlib.Path(TOP, "schema").glob("*.sql"))
OTHER_KEY = base64.b64encode(b"another key of 32 bytes: 1234567").decode()
SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
OLD_SECRET = "whsec_" + base64.b64encode(b"o" * 24).decode()


def fed(kafka, service):
    return drive.Feed(kafka, service).reference().session("2024-03-04", 1, 1, 1).settle()


def deliveries(service, channel):
    return service.api("GET", f"/v1/channels/{channel}/deliveries").json()["deliveries"]


def test_what_is_stored_shows_no_secret(one, webhook_receiver):
    service = one.service
    made = drive.make_channel(service, webhook_receiver.url, secret=SECRET)
    assert made["secret"] == SECRET
    row = service.database.rows("SELECT channel::text, secrets, secret, secret_old, settings, kind FROM tocsin.channel")[0]
    assert b"k" * 8 not in row[1] and b"whsec" not in row[1] and "kkkkkkkk" not in row[0] and SECRET[6:30] not in row[0]
    assert row[2:] == (None, None, {"url": webhook_receiver.url}, "webhook")
    drive.make_rule(service, {"rule": f"last({one.symbol}) > 100"})
    one.trades(101)
    assert signed_by(webhook_receiver.wait(1)[0], SECRET)
    assert service.api("DELETE", f"/v1/channels/{made['id']}").status_code == 204
    assert service.database.one("SELECT count(secrets) FROM tocsin.channel") == 0                 # nothing is kept of what is deleted


def old_database(database_factory, url):
    """As a program of schema version 2 left it, with a webhook whose two secrets lie in the open."""
    old = database_factory()
    with old.connect() as c:
        for number, path in enumerate(FILES[:2], start=1):
            c.execute(path.read_text(encoding="utf-8"))
            c.execute("INSERT INTO tocsin.schema_version (version, name) VALUES (%s, %s)", (number, path.name))
        c.execute("INSERT INTO tocsin.tenant (tenant_id, name) VALUES (gen_random_uuid(), 'acme')")
        for deleted, where in ((False, url), (True, "https://example.com/gone")):
            c.execute("INSERT INTO tocsin.channel (tenant_id, channel_id, kind, url, secret, secret_old, deleted)"
                      " SELECT tenant_id, gen_random_uuid(), 'webhook', %s, %s, %s, %s FROM tocsin.tenant", (where, b"k" * 32, b"o" * 24, deleted))
    return old


def test_what_an_older_program_left_is_sealed_at_the_first_start_with_a_key(kafka, service_factory, database_factory, webhook_receiver):
    old = old_database(database_factory, webhook_receiver.url)
    service = service_factory(topics=[kafka.create_topic("old")], config=drive.QUIET, database=old, start=False)     # migrates
    assert old.one("SELECT count(*) FROM tocsin.channel WHERE settings->>'url' = %s AND secret IS NOT NULL", webhook_receiver.url) == 1
    assert old.one("SELECT count(*) FROM tocsin.channel WHERE deleted AND secret IS NULL AND secret_old IS NULL") == 1

    service.config["secrets"]["key_file"] = ""
    service.write_config()
    feed = fed(kafka, service.start())
    assert any("stored unencrypted" in e["message"] and e["level"] == "warn" for e in service.log_entries)
    [shown] = service.api("GET", "/v1/channels").json()["channels"]
    assert (shown["kind"], shown["url"]) == ("webhook", webhook_receiver.url) and "secret" not in shown
    drive.make_rule(service, {"rule": f"last({feed.symbol}) >= 10", "clear": "5"})
    feed.trades(12)
    request = webhook_receiver.wait(1)[0]
    assert signed_by(request, SECRET) and signed_by(request, OLD_SECRET)

    service.config["secrets"]["key_file"] = str(service.folder / "secrets.key")
    service.write_config()
    service.restart()
    assert old.one("SELECT count(*) FROM tocsin.channel WHERE secret IS NOT NULL OR secret_old IS NOT NULL") == 0
    assert old.one("SELECT count(secrets) FROM tocsin.channel") == 1
    feed.trades(4)
    request = webhook_receiver.wait(2)[1]
    assert signed_by(request, SECRET) and signed_by(request, OLD_SECRET)
    assert "kkkk" not in service.log and SECRET[6:] not in service.log


def test_an_owner_without_privileges_migrates(postgres, database_factory):
    """The owner of the tables is under row-level security like everybody else: the migration must not pass over the rows in silence."""
    old = old_database(database_factory, "https://example.com/hook")
    with old.connect() as c:
        c.execute(f"CREATE ROLE modest_{os.getpid()} LOGIN")
        for table, in c.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'tocsin'").fetchall():
            c.execute(f"ALTER TABLE tocsin.{table} OWNER TO modest_{os.getpid()}")
        c.execute(f"GRANT USAGE, CREATE ON SCHEMA tocsin TO modest_{os.getpid()}")
        c.execute(f"SET ROLE modest_{os.getpid()}")
        assert c.execute("SELECT count(*) FROM tocsin.channel").fetchone() == (0,)
        for path in FILES[2:3]:
            c.execute(path.read_text(encoding="utf-8"))
        c.execute("RESET ROLE")
        assert c.execute("SELECT count(*) FROM tocsin.channel WHERE settings->>'url' LIKE 'https://example.com/%'").fetchone() == (2,)
        assert c.execute("SELECT relforcerowsecurity FROM pg_class WHERE oid = 'tocsin.channel'::regclass").fetchone() == (True,)
        c.execute(f"REASSIGN OWNED BY modest_{os.getpid()} TO CURRENT_USER")
        c.execute(f"DROP OWNED BY modest_{os.getpid()}")
        c.execute(f"DROP ROLE modest_{os.getpid()}")


def test_the_key_is_changed_without_a_loss(one, webhook_receiver):
    service = one.service
    drive.make_channel(service, webhook_receiver.url, secret=SECRET)
    drive.make_rule(service, {"rule": f"last({one.symbol}) >= 100", "clear": "90"})
    before = service.database.one("SELECT secrets FROM tocsin.channel")
    for n, keys in enumerate(((OTHER_KEY, SEAL_KEY), (OTHER_KEY,)), start=1):                     # the new one first; then it alone
        service.write_seal_keys(*keys)
        service.restart()
        one.trades(101 if n == 1 else 1)
        assert signed_by(webhook_receiver.wait(n)[n - 1], SECRET)
    assert service.database.one("SELECT secrets FROM tocsin.channel") != before


def test_without_its_key_a_channel_waits_and_says_why(one, webhook_receiver):
    service = one.service
    made = drive.make_channel(service, webhook_receiver.url)
    drive.make_rule(service, {"rule": f"last({one.symbol}) >= 100"})
    service.write_seal_keys(OTHER_KEY)
    service.restart()
    assert any("do not open" in e["message"] and e["level"] == "error" for e in service.log_entries)
    one.trades(101)
    row = wait_until(lambda: [d for d in deliveries(service, made["id"]) if d["attempts"]], "tried")[0]
    assert row["status"] == "waiting" and "not in the key file" in row["last_error"]
    assert webhook_receiver.requests == []
    service.write_seal_keys(SEAL_KEY)
    service.restart()
    webhook_receiver.wait(1)


def test_secrets_that_are_moved_to_another_channel_do_not_open(one, webhook_receiver):
    service, other = one.service, WebhookReceiver()
    try:
        made = [drive.make_channel(service, r.url)["id"] for r in (webhook_receiver, other)]
        service.database.execute("UPDATE tocsin.channel c SET secrets = x.secrets FROM tocsin.channel x WHERE x.channel_id <> c.channel_id")
        drive.make_rule(service, {"rule": f"last({one.symbol}) >= 100"})
        one.trades(101)
        for channel in made:
            row = wait_until(lambda c=channel: [d for d in deliveries(service, c) if d["attempts"]], "tried")[0]
            assert row["status"] == "waiting" and "belongs elsewhere" in row["last_error"]
        assert webhook_receiver.requests == [] and other.requests == []
    finally:
        other.close()


def test_a_kind_this_program_does_not_know_fails_by_its_name(one, webhook_receiver):
    """As a newer program may leave one: shown as it is, and never sent as a webhook."""
    service = one.service
    made = drive.make_channel(service, webhook_receiver.url)
    service.database.execute("UPDATE tocsin.channel SET kind = 'pigeon', settings = settings || '{\"loft\": {\"floor\": 3}}'")
    shown = service.api("GET", f"/v1/channels/{made['id']}").json()
    assert (shown["kind"], shown["loft"], shown["url"]) == ("pigeon", {"floor": 3}, webhook_receiver.url)
    drive.make_rule(service, {"rule": f"last({one.symbol}) >= 100"})
    one.trades(101)
    row = wait_until(lambda: [d for d in deliveries(service, made["id"]) if d["finished_at"]], "finished")[0]
    assert row["status"] == "failed" and 'no channel kind "pigeon"' in row["last_error"]
    assert webhook_receiver.requests == []
    refused = service.api("POST", "/v1/channels", {"kind": "pigeon", "loft": "attic"})
    assert 'field "kind" must be one of webhook' in drive.problem(refused, 400)["detail"]


# ---- where the key is ----

@pytest.fixture(scope="module")
def keyless(kafka, service_factory):
    return service_factory(topics=[kafka.create_topic("keyless")], config={**drive.QUIET, "secrets": {"key_file": ""}})


def test_no_key_no_channel(keyless):
    body = {"kind": "webhook", "url": "http://127.0.0.1:9/"}
    assert "secrets.key_file" in drive.problem(keyless.api("POST", "/v1/channels", body), 503, "no_secrets_key")["detail"]
    drive.problem(keyless.api("POST", "/v1/channels", {**body, "colour": 1}), 400)                # what is wrong with it is still said
    assert keyless.database.one("SELECT count(*) FROM tocsin.channel") == 0


def test_the_systemd_credential_is_the_key(keyless):
    credentials = keyless.folder / "credentials"
    credentials.mkdir()
    (credentials / "tocsin-secrets").write_text(SEAL_KEY)
    (credentials / "tocsin-secrets").chmod(0o400)
    keyless.env["CREDENTIALS_DIRECTORY"] = str(credentials)
    keyless.restart()
    assert drive.make_channel(keyless, "http://127.0.0.1:9/")["secret"]
    (credentials / "tocsin-secrets").unlink()                                                     # systemd gave none of that name
    keyless.restart()
    drive.problem(keyless.api("POST", "/v1/channels", {"kind": "webhook", "url": "http://127.0.0.1:9/"}), 503, "no_secrets_key")


@pytest.mark.parametrize("text, mode, says", [(SEAL_KEY, 0o644, "everybody on this machine may read it (mode 0644)"), ("hunter2", 0o600, ":1: not a key"),
                                              ("", 0o600, "holds no key"), (None, 0, "No such file")], ids=["open", "no key", "empty", "missing"])
def test_a_key_file_that_is_not_fit_is_told_before_anything_starts(kafka, service_factory, text, mode, says):
    service = service_factory(topics=[kafka.create_topic("unfit")], start=False)
    path = service.folder / "secrets.key"
    path.unlink()
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    for what in ("check", "serve"):
        done = service.tocsin(what, timeout=60)
        assert done.returncode == 78 and says in done.stdout + done.stderr and str(path) in done.stdout + done.stderr
        assert "hunter2" not in done.stdout + done.stderr


def test_seal_key_makes_a_file_that_is_fit(kafka, service_factory, tmp_path):
    path = tmp_path / "secrets.key"

    def seal_key(*arguments):
        return subprocess.run([*command("keys", "seal-key"), *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert seal_key("--out", str(path)).returncode == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first = path.read_text()
    again = seal_key("--out", str(path))
    assert again.returncode != 0 and "--add" in again.stderr and path.read_text() == first
    assert seal_key("--out", str(path), "--add").returncode == 0
    assert len(path.read_text().split()) == 2 and path.read_text().endswith(first)
    for wrong in ((), ("--out",), ("--out", "", "--add"), ("--in", "x")):
        assert seal_key(*wrong).returncode == 64
    service = service_factory(topics=[kafka.create_topic("sealkey")], config={"secrets": {"key_file": str(path)}}, start=False)
    assert service.tocsin("check").returncode == 0
