"""sse.py - a reader of the live stream, in a thread of its own."""
import http.client
import json
import queue
import socket
import threading
import urllib.parse
from dataclasses import dataclass


@dataclass
class Event:
    id: str
    event: str
    data: str

    def json(self):
        return json.loads(self.data)


class Stream:
    """with service.stream() as s: s.next(5).json()"""

    def __init__(self, url, key, last_event_id=None, timeout=60):
        where = urllib.parse.urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname, where.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {key}", "Accept": "text/event-stream"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = str(last_event_id)
        self.connection.request("GET", where.path + (f"?{where.query}" if where.query else ""), headers=headers)
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.status = self.response.status
        self.events = queue.Queue()
        self.beats = 0
        self.begun = queue.Queue()         # what it began with: a position or a reset
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        fields = {}
        try:
            while True:
                line = self.response.readline()
                if not line:
                    break
                line = line.decode("utf-8").rstrip("\r\n")
                if not line:
                    if fields.get("event") in ("position", "reset"):
                        self.begun.put(Event(fields["id"], fields["event"], fields["data"]))
                    elif "data" in fields:
                        self.events.put(Event(fields.get("id"), fields.get("event", "message"), fields["data"]))
                    fields = {}
                elif line.startswith(":"):
                    self.beats += 1
                else:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    fields[name] = f"{fields[name]}\n{value}" if name == "data" and name in fields else value
        except (OSError, http.client.HTTPException, ValueError, AttributeError):
            pass
        self.ended.set()

    def next(self, seconds=30):
        """The next event; queue.Empty when none comes in time."""
        return self.events.get(timeout=seconds)

    def take(self, n, seconds=30):
        return [self.next(seconds) for _ in range(n)]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.thread.join(5)
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
