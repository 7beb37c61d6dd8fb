"""A database that an older program filled: what it stored verifies to the last bit, and a service goes on from there.

older/schema-2.dump (pg_dump -Fc) was left by the program that knew two migrations, after the stream of test_verify.py: three sessions of a market,
articles, a book, refused messages, rules of two tenants made, changed and deleted, and the engine state of that program, which this one need not read."""
import pathlib
import subprocess

import pytest

import drive

DUMPS = sorted(pathlib.Path(__file__).with_name("older").glob("*.dump"))
STORED = {"schema-2": (733, 180, 8, 12)}                     # records, readings, alerts, article scores, counted in SQL when it was made


def restore(postgres, database, dump):
    with postgres.connect() as c:
        for role in ("tocsin_engine", "tocsin_api"):
            c.execute(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    subprocess.run([f"{postgres.bin}/pg_restore", "--exit-on-error", "-d", database.conninfo, dump], check=True, capture_output=True, cwd="/")


@pytest.mark.parametrize("dump", DUMPS, ids=lambda p: p.stem)
def test_what_an_older_program_stored_is_what_this_one_says(postgres, kafka, service_factory, database_factory, dump):
    database = database_factory()
    restore(postgres, database, dump)
    counts = tuple(database.one(f"SELECT count(*) FROM {t}") for t in
                   ("(SELECT seq FROM tocsin.tick UNION ALL SELECT seq FROM tocsin.event) r", "tocsin.reading", "tocsin.alert", "tocsin.article_score"))
    assert counts == STORED[dump.stem]
    service = service_factory(topics=[kafka.create_topic("older")], database=database, config=drive.QUIET, start=False)
    said = service.check_ran("verify")
    assert "readings are of earlier versions of their measures" in said
    assert "{} records, {} readings, {} alerts, {} article scores:".format(*counts) in said and " 0 differing values" in said

    alerts = database.rows("SELECT * FROM tocsin.alert ORDER BY tenant_id, stream_no")
    service.start()
    drive.Feed(kafka, service).reference().session("2024-04-02", 50, 60, 70).settle()
    assert service.terminate() == 0
    assert database.rows("SELECT * FROM tocsin.alert WHERE seq <= %s ORDER BY tenant_id, stream_no", alerts and max(a[3] for a in alerts)) == alerts
    assert database.one("SELECT last_seq FROM tocsin.shard") > counts[0]
    assert " 0 differing values" in service.check_ran("verify")
