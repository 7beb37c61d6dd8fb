#!/usr/bin/env python3
"""drain.py [ROUNDS] - the job of the peers through the whole service, everything stored: ticks/s and CPU seconds a million, beside the null
consumer and the null COPY loader of the same run; bytes a tick on disk; and read again: verify and backtest, beside a COPY of the same ticks to nowhere.

    make && TOCSIN_SHARED=../shared build/venv/bin/python tests/bench/drain.py 3

N (1 000 000) ticks a run. First the fires on one partition are held against the reference by count and digest; no time counts before that.
Needs the peers' sources in $TOCSIN_SHARED/peers, a real Kafka and PostgreSQL (the harness starts its own). Numbers are ratios of medians.
"""
import asyncio
import json
import math
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))
from harness import base, kafka as kafka_harness  # noqa: E402
from harness.postgres import Database, Postgres  # noqa: E402
from harness.service import Service  # noqa: E402

SHARED = pathlib.Path(os.environ.get("TOCSIN_SHARED", HERE.parents[2] / "shared"))
PEERS = SHARED / "peers" / "c"
N = int(os.environ.get("N", 1_000_000))
MEASURES = ["level(JOB)", "ew_level(JOB, ew=held)", "spread(JOB, kind=points, ew=held)", "hhi(JOB)", "top_weight(JOB)"]
DAY, AT, DAY_OF_TICKS = "2023-11-13", 1_699_900_000_000_000_000, "2023-11-14"
M64 = (1 << 64) - 1


def mix(z):
    z = (z + 0x9E3779B97F4A7C15) & M64
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & M64
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
    return z ^ (z >> 31)


def build(work):
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "rdkafka", "libpq"], capture_output=True, text=True, check=True).stdout.split()
    for name in ("gen", "null_consume", "null_copy"):
        source = (PEERS / f"{name}.c").read_text(encoding="utf-8")
        if name == "gen":                      # a trade behind its instrument's newest is late for us and not for the peers: here none is
            assert source.count("% 1000000)") == 1
            source = source.replace("% 1000000)", "% 100000)")
            # a value of ours is a fraction rounded once, one of the peers is of doubles: the last place may differ, so a millionth is compared
            assert source.count("memcpy(&bits, &v[k / 200], 8);") == 1
            source = "#include <math.h>\n" + source.replace("memcpy(&bits, &v[k / 200], 8);", "bits = (uint64_t)(int64_t)floor(v[k / 200] * 1e6 + 0.5);")
        (work / f"{name}.c").write_text(source)
        subprocess.run(["gcc", "-O2", "-D_GNU_SOURCE", "-I", PEERS, "-o", work / name, work / f"{name}.c", *flags, "-lpthread", "-lm"], check=True)
    subprocess.run([work / "gen", "rules", work], check=True)


def said(command):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=True)
    return json.loads([line for line in done.stdout.splitlines() if line.startswith("{")][-1])


def reference(work):
    symbols = [line.split(",") for line in (work / "symbols.csv").read_text().split()]
    out = [("JOB", {"kind": "index", "index": "JOB", "base": 1000, "ts": AT})]
    for name, shares, _, _ in symbols:
        out += [(name, {"kind": "instrument", "symbol": name, "issuer": name, "ts": AT}), (name, {"kind": "shares", "symbol": name, "shares": int(shares), "ts": AT}),
                ("JOB", {"kind": "membership", "index": "JOB", "symbol": name, "ts": AT})]
    for name, _, cents, _ in symbols:
        out.append((name, {"kind": "close", "symbol": name, "price": f"{int(cents) // 100}.{int(cents) % 100:02}", "date": DAY, "ts": AT}))
    return out + [("JOB", {"kind": "clock", "ts": AT, "session_end": DAY})], [s[0] for s in symbols]


def rules(work, names):
    for line in (work / "rules.csv").read_text().split():
        number, kind, target, above, threshold, clear = line.split(",")
        price = kind == "P"
        cents = lambda t: f"{int(t) // 100}.{int(t) % 100:02}" if price else t
        measure = f"last({names[int(target)]})" if price else MEASURES[int(target)]
        yield {"name": number, "rule": f"{measure} {'>=' if above == 'A' else '<='} {cents(threshold)}", "clear": cents(clear), "on_create": "wait"}


async def post_all(service, bodies):
    """Many connections, so that many rules share a commit."""
    todo = list(reversed([json.dumps(b).encode() for b in bodies]))

    async def one():
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=1 << 20)
        head = f"POST /v1/rules HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {service.key}\r\nContent-Type: application/json\r\nContent-Length: "
        while todo:
            body = todo.pop()
            writer.write(head.encode() + str(len(body)).encode() + b"\r\n\r\n" + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            length = int(answer.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            text = await reader.readexactly(length)
            assert b" 201 " in answer.split(b"\r\n")[0], (answer, text, body)
        writer.close()

    await asyncio.gather(*[one() for _ in range(64)])


def prepare(postgres, broker, work):
    """A database with the job's reference data and rules: the template every run starts from."""
    database = Database(postgres)
    records, names = reference(work)
    topic = broker.create_topic("reference")
    broker.produce(topic, records)
    service = Service(database, broker.bootstrap, [topic], config={"engine": {"clock_ms": 0, "sample_ms": 0, "stale_after_ms": 0}, "api": {"tenant_changes_s": 1000000}}).start()
    base.wait_until(lambda: database.one("SELECT last_seq FROM tocsin.shard") >= len(records), "reference data is in", 60)
    began = time.monotonic()
    asyncio.run(post_all(service, rules(work, names)))
    took = time.monotonic() - began
    made = database.one("SELECT count(*) FROM tocsin.rule")
    service.terminate()
    print(f"{made:,} rules made over HTTP in {took:.1f} s", flush=True)
    return database, topic


def cpu_of(pid):
    f = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    own = (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")
    reaped = (int(f[13]) + int(f[14])) / os.sysconf("SC_CLK_TCK")
    return own, reaped


def tree_cpu(pid):
    total = sum(cpu_of(pid))
    for child in open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split():
        try:
            total += cpu_of(int(child))[0]
        except OSError:
            pass
    return total


def stored_bytes(db, n):
    """Of the ticks with all their indexes and TOAST, a tick."""
    db.execute("CHECKPOINT")
    return float(db.execute("""SELECT sum(pg_total_relation_size(i.inhrelid)) FROM pg_inherits i WHERE i.inhparent IN ('tocsin.tick_row'::regclass, 'tocsin.tick_chunk'::regclass)
        """).fetchone()[0]) / n


def timed(what):
    """(seconds, CPU seconds of the children it waited for)."""
    used = lambda: sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    began, cpu = time.monotonic(), used()
    what()
    return time.monotonic() - began, used() - cpu


def read_again(service, db, before, n):
    """Ticks a second: out of the database to nowhere; then read and applied, by verify from the checkpoint before the ticks (so that making the
    101,000 rules is no part of it), by a backtest of one rule, and by a service that starts from that checkpoint."""
    def to_nowhere(sql):
        with db.cursor().copy(f"COPY ({sql}) TO STDOUT (FORMAT binary)") as copy:
            for _ in copy:
                pass

    def said(*arguments):
        done = service.tocsin(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout
    out = {"copy_chunks": timed(lambda: to_nowhere("SELECT * FROM tocsin.tick_chunk"))[0], "copy_ticks": timed(lambda: to_nowhere("SELECT * FROM tocsin.tick"))[0]}
    texts = []
    out["verify"], out["verify_cpu"] = timed(lambda: texts.append(said("verify", "--from", DAY_OF_TICKS)))
    assert f"from the checkpoint after record {before}," in texts[0] and f"{n} records" in texts[0], texts
    out["backtest"], out["backtest_cpu"] = timed(lambda: said("backtest", "--rule", "last(SYM0001) > 1"))
    db.execute("DELETE FROM tocsin.snapshot WHERE seq > %s", (before,))
    seen = service.log_file.stat().st_size
    service.start(wait=False)
    out["recovery"] = base.wait_until(lambda: service._field(seen, "state recovered", "ms"), "it has read it all", 60) / 1000
    service.terminate()
    return {k: v * 1e6 / n if k.endswith("cpu") else n / v for k, v in out.items()}


def run(postgres, broker, template, reference_topic, ticks_topic, n):
    """One drain; the window is from the first batch committed to the last, plus that first batch's share of the rate."""
    database = Database(postgres, template=template.name)
    service = Service.__new__(Service)
    Service.__init__(service, database, broker.bootstrap, [reference_topic, ticks_topic], [reference_topic], {"engine": {"clock_ms": 0, "sample_ms": 0, "stale_after_ms": 0, "snapshot_s": 60}})
    db = database.connect()
    at = lambda: db.execute("SELECT last_seq FROM tocsin.shard").fetchone()[0]
    before = at()
    pg = tree_cpu(postgres.process.pid)
    service.start(wait=False)
    mine = cpu_of(service.pid)[0]
    points = []
    while not points or points[-1][1] < before + n:
        seq = at()
        if seq > before and (not points or seq != points[-1][1]):
            if not points:
                mine = cpu_of(service.pid)[0]
            points.append((time.monotonic(), seq))
        assert service.alive, service.log[-3000:]
        time.sleep(0.005)
    used = cpu_of(service.pid)[0] - mine
    (t0, s0), (t1, s1) = points[0], points[-1]
    out = {"rate": (s1 - s0) / (t1 - t0) if s1 > s0 else float("nan"), "cpu": used * 1e6 / (s1 - s0), "pg": (tree_cpu(postgres.process.pid) - pg) * 1e6 / n,
           "commits": len(points)}
    service.terminate()
    rows = db.execute("SELECT count(*), count(DISTINCT kpos) FROM tocsin.tick WHERE day_or_kind = -2147483648").fetchone()
    assert rows == (n, n), rows
    out["bytes"] = stored_bytes(db, n)
    fires = db.execute("SELECT rule_name::bigint, event_ns, value FROM tocsin.alert WHERE state = 'firing'").fetchall()
    out.update(read_again(service, db, before, n))
    db.close()
    database.drop()
    return out, fires


def digest(fires):
    n, d = [0, 0], [0, 0]
    for rule, ts, value in fires:
        index = rule >= 100000
        bits = math.floor(value * 1e6 + 0.5) & M64 if index else round(value * 100)
        n[index] += 1
        d[index] = (d[index] + mix(mix(rule + 1) ^ ts ^ bits)) & M64
    return {"price_fires": n[0], "price_digest": f"{d[0]:016x}", "index_fires": n[1], "index_digest": f"{d[1]:016x}"}


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    work = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-drain-"))
    work.chmod(0o755)
    build(work)
    postgres, broker = Postgres(settings={"shared_buffers": "1GB", "max_wal_size": "4GB", "checkpoint_timeout": "15min"}), kafka_harness.start(print)
    try:
        template, topic = prepare(postgres, broker, work)
        one, many = broker.create_topic("ticks"), broker.create_topic("ticks", 16)
        for t in (one, many):
            subprocess.run([work / "gen", "load", str(N), broker.bootstrap, t], check=True)
        answer = said([work / "gen", "answer", N])
        got = digest(run(postgres, broker, template, topic, one, N)[1])
        want = {k: answer[k] for k in got}
        print("fires on one partition:", "equal to the reference" if got == want else f"DIFFERENT: {got} instead of {want}", got, flush=True)
        results = {"null consumer": [], "null COPY 100K": [], "tocsin": []}
        scratch = Database(postgres)
        for _ in range(rounds):
            null = said([work / "null_consume", broker.bootstrap, many, 16, N, 1])
            results["null consumer"].append({"rate": N / null["window_s"], "cpu": null["window_cpu_s"] * 1e6 / N})
            copy = said([work / "null_copy", scratch.conninfo, N, 100000])
            results["null COPY 100K"].append({"rate": N / copy["window_s"]})
            out, fires = run(postgres, broker, template, topic, many, N)
            same = digest(fires)
            assert (same["price_fires"], same["price_digest"]) == (answer["price_fires"], answer["price_digest"]), (same, answer)
            results["tocsin"].append(out)
            print(json.dumps({k: v[-1] for k, v in results.items()}), flush=True)
        scratch.drop()
        median = lambda who, what: statistics.median(r[what] for r in results[who])
        print(f"\n{N:,} ticks, 16 partitions, medians of {rounds}; everything stored with the position")
        for who in results:
            ratio = [r["rate"] / c["rate"] for r, c in zip(results[who], results["null COPY 100K"])]
            print(f"{who:16} {median(who, 'rate'):12,.0f} ticks/s   x null COPY {statistics.median(ratio):.2f} ({min(ratio):.2f}-{max(ratio):.2f})"
                  + (f"   CPU s/1M {median(who, 'cpu'):.2f}" if "cpu" in results[who][0] else "")
                  + (f"   PostgreSQL CPU s/1M {median(who, 'pg'):.2f}" if "pg" in results[who][0] else ""))
        mine = lambda what: median("tocsin", what)
        print(f"on disk {mine('bytes'):.1f} bytes a tick, indexes and TOAST counted\n"
              f"read again: COPY of the chunks to nowhere {mine('copy_chunks'):,.0f} ticks/s, of the ticks as rows {mine('copy_ticks'):,.0f}; "
              f"verify {mine('verify'):,.0f} ({mine('verify_cpu'):.2f} CPU s/1M of its own), backtest of one rule {mine('backtest'):,.0f} ({mine('backtest_cpu'):.2f}), "
              f"a start {mine('recovery'):,.0f}")
        return 0 if got == want else 1
    finally:
        broker.remove()
        postgres.remove()


if __name__ == "__main__":
    sys.exit(main())
