"""Who the service is to PostgreSQL: the API's sessions log in as a role that is nothing but the API, whatever one is made to say."""
import contextlib

import psycopg
import pytest

import drive
from drive import QUIET
from harness.base import wait_until
from harness.postgres import Database, Postgres

API_SESSIONS = "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name = 'tocsin api' AND datname = current_database()"
NO_LOGIN = "the API has no login of its own: its sessions can become the engine"


def asked_as(service):
    """The logins of the API's sessions, once there is one."""
    assert service.api("GET", "/v1/rules").status_code == 200
    return [r[0] for r in service.database.rows(API_SESSIONS)]


def said(service, beginning):
    return [e for e in service.log_entries if e["message"].startswith(beginning)]


def works(service, feed):
    feed.reference().session("2024-03-04", 50, 60, 70).settle()
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    feed.trades(110).settle()
    wait_until(lambda: len(drive.alerts(service)) == 1, "the alert")


@contextlib.contextmanager
def denied():
    with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.UndefinedObject)):
        yield


def test_an_api_session_cannot_become_the_engine(one):
    """As its login, with everything that it may say: no role but tocsin_api, no row without a tenant, no password, no table of its own."""
    service = one.service
    drive.make_rule(service, {"rule": "last(FEEDA) >= 100"})
    login, = asked_as(service)
    password = service.database.one("SELECT password FROM tocsin.api_login WHERE role = %s", login)
    assert login.startswith("tocsin_api_") and len(password) == 64
    with psycopg.connect(f"{service.conninfo} user={login} password={password}", autocommit=True) as c:
        for role in ("tocsin_engine", "tocsin"):
            with denied():
                c.execute(f"SET ROLE {role}")
            with denied():
                c.execute(f"SET SESSION AUTHORIZATION {role}")
        c.execute("SET ROLE tocsin_api")
        for reset in ("RESET ROLE", "SET ROLE NONE", "RESET SESSION AUTHORIZATION", "DISCARD ALL"):
            c.execute(reset)
            assert c.execute("SELECT count(*) FROM tocsin.rule").fetchone()[0] == 0
        for statement in ("SELECT * FROM tocsin.api_login", "SELECT * FROM tocsin.api_key", "SELECT secrets FROM tocsin.channel",
                          "UPDATE tocsin.shard SET epoch = epoch + 1", "DELETE FROM tocsin.rule", "TRUNCATE tocsin.rule", "CREATE TABLE tocsin.mine (i int)",
                          "CREATE ROLE another", "GRANT tocsin_engine TO CURRENT_USER", "SELECT tocsin.advance(1, 1, 1, 1)",
                          "SELECT pg_catalog.pg_read_file('postgresql.conf')", "ALTER TABLE tocsin.rule DISABLE ROW LEVEL SECURITY"):
            with denied():
                c.execute(statement)
    memberships = service.database.rows("SELECT pg_get_userbyid(roleid)::text FROM pg_auth_members WHERE member = %s::regrole", login)
    assert memberships == [("tocsin_api",)]
    assert service.database.one("SELECT rolpassword FROM pg_authid WHERE rolname = %s", login).startswith("SCRAM-SHA-256$")
    assert password not in service.log and not said(service, NO_LOGIN)


def test_a_superuser_is_more_than_the_service_needs(one):
    """The tests' own user is one, and serve says so."""
    assert [e["level"] for e in said(one.service, "the database user is a superuser")] == ["warn"]


@pytest.fixture(scope="module")
def strict_server():
    """Passwords for everybody over TCP, as servers usually have it; role plain may make roles, role modest may not."""
    server = Postgres()
    with server.connect() as c:
        c.execute("CREATE ROLE plain LOGIN CREATEROLE PASSWORD 'pl''ain \\'")
        c.execute("CREATE ROLE modest LOGIN PASSWORD 'modest'")
        c.execute("CREATE ROLE asker LOGIN PASSWORD 'asker'")
    server.stop()
    (server.data / "pg_hba.conf").write_text(
        "local all all trust\nhost all tocsin 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n", encoding="utf-8")
    server.start()
    yield server
    server.remove()


def test_with_passwords_and_no_superuser_it_works_by_itself(strict_server, kafka, service_factory):
    database = Database(strict_server)
    with strict_server.connect() as c:
        c.execute(f"ALTER DATABASE {database.name} OWNER TO plain")
        c.execute(f"REVOKE CONNECT ON DATABASE {database.name} FROM PUBLIC")
    database.conninfo = f"postgresql://plain:pl%27ain%20%5C@127.0.0.1:{strict_server.port}/{database.name}?options=-c%20work_mem%3D5MB"
    service = service_factory(topics=[kafka.create_topic("login")], config=QUIET, database=database)
    works(service, drive.Feed(kafka, service))
    login = database.one("SELECT 'tocsin_api_' || oid FROM pg_database WHERE datname = current_database()")
    assert [e["detail"] for e in said(service, NO_LOGIN)] == [] and asked_as(service) == [login]
    assert not said(service, "the database user is a superuser")

    # lost, or of a dump from elsewhere: the next migrate mends it, and changes nothing where nothing is wrong
    before = database.one("SELECT password FROM tocsin.api_login")
    service.check_ran("migrate")
    assert database.one("SELECT password FROM tocsin.api_login") == before
    assert service.terminate() == 0
    database.execute(f"ALTER ROLE {login} NOLOGIN")
    service.start()
    assert said(service, NO_LOGIN) and asked_as(service) == ["plain"]
    assert service.terminate() == 0
    service.check_ran("migrate")
    service.start()
    assert asked_as(service) == [login]
    assert service.terminate() == 0


def test_a_copy_of_a_database_has_a_login_of_its_own(one, database_factory):
    service = one.service
    assert service.terminate() == 0
    first, = service.database.rows("SELECT role::text, password FROM tocsin.api_login")
    service.database = drive.copy_of(service.database, database_factory())
    service.config["database"]["conninfo"] = service.conninfo = service.database.conninfo
    service.write_config()
    service.check_ran("migrate")
    service.start()
    copied, = asked_as(service)
    assert copied != first[0] and not said(service, NO_LOGIN)
    assert service.database.one("SELECT password FROM tocsin.api_login WHERE role = %s", copied) != first[1]


def test_a_user_that_may_not_make_roles_is_told_what_to_do(strict_server, kafka, service_factory):
    """Roles made beforehand: migrate goes through and says what is missing; with a login given to the service nothing is."""
    database = Database(strict_server)
    with strict_server.connect() as c:
        c.execute(f"ALTER DATABASE {database.name} OWNER TO modest")
        for role in ("tocsin_engine", "tocsin_api"):
            c.execute(f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
            c.execute(f"GRANT {role} TO modest WITH ADMIN OPTION")
        c.execute("GRANT tocsin_api TO asker")
    database.conninfo += " user=modest password=modest"
    service = service_factory(topics=[kafka.create_topic("modest")], config=QUIET, database=database, start=False)
    done = service.tocsin("migrate")
    assert done.returncode == 0 and "the API has no login of its own" in done.stderr and "database.api_conninfo" in done.stderr, done
    service.start()
    assert said(service, NO_LOGIN) and asked_as(service) == ["modest"]
    assert service.terminate() == 0

    asker = strict_server.conninfo(database.name).replace("user=tocsin", "user=asker password=asker")
    service.config["database"]["api_conninfo"] = asker
    service.write_config()
    assert service.tocsin("migrate").stderr == ""
    n = len(said(service, NO_LOGIN))
    service.start()
    works(service, drive.Feed(kafka, service))
    assert asked_as(service) == ["asker"] and len(said(service, NO_LOGIN)) == n
    assert service.terminate() == 0

    service.config["database"]["api_conninfo"] = database.conninfo           # one that is the engine
    service.write_config()
    service.start()
    assert "can become tocsin_engine" in said(service, "the API's login is not as it should be")[0]["detail"]
    assert service.terminate() == 0
