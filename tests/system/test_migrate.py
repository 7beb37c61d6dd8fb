"""Databases of every older schema become the newest one, with what they hold; serve asks for it."""
import pathlib

import pytest

import drive
from harness.base import TOP

FILES = sorted(pathlib.Path(TOP, "schema").glob("*.sql"))

# What the schema is, apart from the partitions, which belong to the data.
CATALOG = {
    "relation": """SELECT n.nspname, c.relname, c.relkind::text, c.relrowsecurity, c.relforcerowsecurity, c.reloptions::text, c.relacl::text,
                          obj_description(c.oid, 'pg_class') FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE n.nspname IN ('tocsin', 'market') AND NOT c.relispartition AND c.relkind IN ('r', 'p', 'v', 'S')""",
    "column": """SELECT a.attrelid::regclass::text, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage::text,
                        pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
                 WHERE n.nspname IN ('tocsin', 'market') AND NOT c.relispartition AND c.relkind IN ('r', 'p', 'v', 'S') AND a.attnum > 0""",
    "index": "SELECT indexdef FROM pg_indexes i JOIN pg_class c ON c.oid = (quote_ident(schemaname) || '.' || quote_ident(tablename))::regclass"
             " WHERE schemaname IN ('tocsin', 'market') AND NOT c.relispartition",
    "constraint": "SELECT c.conrelid::regclass::text, c.conname, pg_get_constraintdef(c.oid) FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid"
                  " WHERE c.connamespace = 'tocsin'::regnamespace AND NOT r.relispartition",
    "function": "SELECT p.oid::regprocedure::text, CASE p.prokind WHEN 'a' THEN (SELECT a.aggtransfn::text || a.agginitval FROM pg_aggregate a WHERE a.aggfnoid = p.oid) ELSE pg_get_functiondef(p.oid) END, p.proacl::text, pg_get_userbyid(p.proowner) FROM pg_proc p"
                " WHERE p.pronamespace IN ('tocsin'::regnamespace, 'market'::regnamespace)",
    "view": "SELECT viewname, definition FROM pg_views WHERE schemaname IN ('tocsin', 'market')",
    "policy": "SELECT tablename, policyname, permissive, roles::text, cmd, qual, with_check FROM pg_policies p JOIN pg_class c ON c.oid = ('tocsin.' || tablename)::regclass"
              " WHERE NOT c.relispartition",
}


def catalog(database):
    return {what: sorted(database.rows(sql), key=repr) for what, sql in CATALOG.items()}


def make_old(database, version):
    with database.connect() as c:
        for number, path in enumerate(FILES[:version], start=1):
            c.execute(path.read_text(encoding="utf-8"))
            c.execute("INSERT INTO tocsin.schema_version (version, name) VALUES (%s, %s)", (number, path.name))


@pytest.mark.parametrize("version", range(1, len(FILES)))
def test_an_older_schema_becomes_the_newest(service_factory, database_factory, kafka, version):
    topic = kafka.create_topic("migrate")
    new = service_factory(topics=[topic], start=False)
    old = database_factory()
    make_old(old, version)
    day = old.one("SELECT tocsin.ensure_partition('tick', current_date)")       # yesterday's program has stored something
    old.execute(f"INSERT INTO tocsin.{day} SELECT 1, (current_date - date '1970-01-01')::bigint * 86400000000000, 1, 1 << 40, 1, 1, 1, -2147483648")

    migrated = service_factory(topics=[topic], database=old, start=False)
    assert old.rows("SELECT version, name FROM tocsin.schema_version ORDER BY version") == [(n, p.name) for n, p in enumerate(FILES, start=1)]
    assert catalog(old) == catalog(new.database)
    assert old.one("SELECT count(*) FROM tocsin.tick") == 1
    assert migrated.check_ran("migrate") == "0 migrations applied\n"
    old.execute("TRUNCATE tocsin.tick_row, tocsin.tick_chunk")
    service = migrated.start()
    drive.Feed(kafka, service).reference().session("2024-03-04", 1, 2, 3).settle()
    assert "0 differing" in service.check_ran("verify")


def test_serve_asks_for_the_migration(service_factory, kafka):
    service = service_factory(topics=[kafka.create_topic("migrate")], start=False)
    for version, told in ((len(FILES) - 1, "run: tocsin migrate"), (len(FILES) + 1, f"this program needs {len(FILES)}")):
        service.database.execute("DELETE FROM tocsin.schema_version WHERE version >= %s", min(version + 1, len(FILES)))
        service.database.execute("INSERT INTO tocsin.schema_version (version, name) VALUES (%s, 'other') ON CONFLICT DO NOTHING", version)
        done = service.tocsin("serve", timeout=60)
        assert done.returncode not in (0, None) and f"schema version {version}" in done.stderr + done.stdout and told in done.stderr + done.stdout, done
    newer = service.tocsin("migrate")
    assert newer.returncode != 0 and "use a newer program" in newer.stdout + newer.stderr


def test_a_migration_that_fails_leaves_the_older_schema(service_factory, database_factory, kafka):
    """Each file is one transaction: whatever stands in its way is named, and nothing of it remains."""
    old = database_factory()
    make_old(old, 1)
    old.execute("DROP INDEX tocsin.alert_rule")                                 # 002 wants to drop it itself
    before = catalog(old)
    with pytest.raises(AssertionError, match="002_.*alert_rule"):
        service_factory(topics=[kafka.create_topic("migrate")], database=old, start=False)
    assert catalog(old) == before
    assert old.one("SELECT max(version) FROM tocsin.schema_version") == 1
