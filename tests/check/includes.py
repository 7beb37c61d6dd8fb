#!/usr/bin/env python3
"""includes.py: includes point one way, and each foreign library's header appears in one folder only.

With a folder as argument that folder is looked at instead of the project (for the check's own test)."""
import pathlib
import re
import sys

import files

OUTPUTS = {"ingest/record.h", "ingest/records.def", "ingest/batch.h", "ingest/stored.h", "analytics/reading.h", "analytics/rows.h", "analytics/picture.h",
           "alerts/alert.h", "alerts/delivery/outbox.h", "alerts/delivery/channel.h", "alerts/delivery/channels.def"}
# folder -> folders whose headers it may include, and single headers
MAY = {
    "core": (set(), set()),
    "ingest": ({"core"}, set()),
    "analytics": ({"core"}, {"ingest/record.h", "ingest/records.def"}),
    "alerts": ({"core"}, {"analytics/reading.h", "analytics/picture.h"}),
    "store": ({"core"}, OUTPUTS),
    "api": ({"core", "store"}, OUTPUTS),
    "app": ({"core", "ingest", "analytics", "alerts", "store", "api"}, set()),
}
FOREIGN = {
    "jansson.h": "core", "openssl/": "core", "librdkafka/": "ingest", "avro": "ingest", "libpq-fe.h": "store", "libpq/": "store",
    "postgresql/": "store", "microhttpd.h": "api", "curl/": "alerts",
}
SYSTEM = set("""assert ctype errno fcntl fenv float getopt inttypes limits locale math netdb poll pthread pwd sched search semaphore signal
    stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings tgmath threads time uchar unistd wchar wctype
    dirent glob grp iconv ftw fnmatch malloc syslog termios spawn endian byteswap""".split())
SYSTEM_FOLDERS = ("sys/", "netinet/", "arpa/", "net/", "linux/", "immintrin.h", "x86intrin.h", "ifaddrs.h")
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')


def faults(folder, header, quoted):
    if quoted:
        if "/" not in header:
            yield f'"{header}": say the folder too, as in "{folder}/{header}"'
            return
        owner = header.split("/")[0]
        folders, single = MAY[folder]
        if owner != folder and owner not in folders and header not in single:
            yield f'"{header}": {folder}/ may not include that'
        return
    for prefix, home in FOREIGN.items():
        if header == prefix or (not prefix.endswith(".h") and header.startswith(prefix)):
            if folder != home:
                yield f"<{header}>: belongs in {home}/ only"
            return
    if header.removesuffix(".h") not in SYSTEM and not header.startswith(SYSTEM_FOLDERS):
        yield f"<{header}>: whose is it? Give it a home in tests/check/includes.py"


def main():
    top = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else files.TOP
    names = [str(p.relative_to(top)) for p in top.rglob("*.[chd]*")] if len(sys.argv) > 1 else files.project_files()
    bad = 0
    for name in names:
        folder = name.split("/")[0]
        if folder not in MAY or not name.endswith((".c", ".h", ".def")):
            continue
        for number, line in enumerate((top / name).read_text(encoding="utf-8").splitlines(), start=1):
            found = INCLUDE.match(line)
            for fault in faults(folder, found[2], found[1] == '"') if found else ():
                print(f"{name}:{number}: {fault}")
                bad += 1
    return bad


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
