"""webhook.py - a receiver of webhooks that writes down what came and answers as told."""
import base64
import hashlib
import hmac
import http.server
import json
import pathlib
import socket
import struct
import threading
import time
from collections import deque
from dataclasses import dataclass

from harness.base import wait_until


@dataclass
class Request:
    path: str
    headers: dict                        # names in lower case
    body: bytes
    at: float                            # time.monotonic()

    @property
    def id(self):
        return self.headers.get("webhook-id")

    def json(self):
        return json.loads(self.body)


def signed_by(request, secret):
    """Standard Webhooks 1.0.0, by hand: is one of the signatures made with this whsec_ secret?"""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    want = "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()
    return want in request.headers["webhook-signature"].split(" ")


def verdicts(node, secret, requests):
    """What the foreign verifier (npm's standardwebhooks) says of each request: "ok", or why not."""
    asked = {"secret": secret, "requests": [{"headers": r.headers, "body": base64.b64encode(r.body).decode()} for r in requests]}
    done = node.run(pathlib.Path(__file__).parents[1] / "webhook_verify.mjs", stdin=json.dumps(asked))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


# ---- behaviours: functions of the handler; the request has been read and written down ----
def reply(status=200, headers=None, body=b"", delay=0):
    def behave(handler):
        handler.server.receiver.closing.wait(delay)
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
    return behave


def reset(handler):
    """The connection is torn down without a word."""
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.connection.close()
    handler.close_connection = True


def hang(handler):
    """Nothing, until the test is over."""
    handler.server.receiver.closing.wait(300)
    handler.close_connection = True


def trickle(handler):
    """A header that never ends, a byte at a time."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not handler.server.receiver.closing.wait(0.2):
        handler.wfile.write(b"x")
    handler.close_connection = True


def flood(handler):
    """A body of a gigabyte, for whoever goes on reading."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(16384):
        handler.wfile.write(b"x" * 65536)
    handler.close_connection = True


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        request = Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body, time.monotonic())
        try:
            self.server.receiver.take(request)(self)
        except OSError:
            self.close_connection = True         # the other side went away: its right

    def log_message(self, *_):
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass


class WebhookReceiver:
    """.url, .requests; .behave(b...) sets what the next requests meet, the last one for ever after; .behave_at(path, b...)."""

    def __init__(self, port=0):
        self.requests = []
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._scripts = {None: deque([reply(200)])}
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.receiver = self
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/hook"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def behave(self, *behaviours):
        self.behave_at(None, *behaviours)

    def behave_at(self, path, *behaviours):
        with self._lock:
            self._scripts[path] = deque(behaviours)

    def take(self, request):
        with self._lock:
            self.requests.append(request)
            script = self._scripts.get(request.path) or self._scripts[None]
            return script.popleft() if len(script) > 1 else script[0]

    def wait(self, n, seconds=30):
        """The first n requests, once they are there."""
        wait_until(lambda: len(self.requests) >= n, f"{n} webhooks (there are {len(self.requests)})", seconds)
        return self.requests[:n]

    def clear(self):
        with self._lock:
            self.requests.clear()

    def close(self):
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
