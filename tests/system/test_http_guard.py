"""Raw HTTP against the running service: what two servers could read differently is answered 400 and the connection closed, and
nothing hidden in a body is ever run as a request. Fixture `service`: .url, .port, .key, .api(method, path, json=None, headers=None)."""
import re
import socket
import time

import pytest

H = "Host: x\r\n"
SMUGGLED = "GET /healthz?smuggled=1 HTTP/1.1\r\nHost: x\r\n\r\n"


def raw(service, data, wait=10.0, shut=False):
    """All that comes back until the server closes or `wait` passes without a byte."""
    if isinstance(data, str):
        data = data.encode("latin-1")
    got = b""
    with socket.create_connection(("127.0.0.1", service.port), timeout=wait) as s:
        s.sendall(data)
        if shut:
            s.shutdown(socket.SHUT_WR)
        try:
            while chunk := s.recv(65536):
                got += chunk
        except (TimeoutError, ConnectionResetError):
            pass
    return got


def statuses(got):
    return [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


def closes(service, data):
    """The statuses, having checked that the server closed by itself: one left open ends with the next request's headers' deadline,
    5 s, every time; one that is closed may take long once on a busy machine."""
    for _ in range(3):
        began = time.monotonic()
        got = raw(service, data)
        if time.monotonic() - began < 4.0:
            return statuses(got)
    raise AssertionError("connection was left open")


REFUSED = {
    "two Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "two equal Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
    "Content-Length list": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: 2, 2\r\n\r\n{}" + SMUGGLED,
    "Content-Length with Transfer-Encoding": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "Transfer-Encoding with Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "space before the colon": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length : 5\r\n\r\nhello" + SMUGGLED,
    "signed Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: +5\r\n\r\nhello" + SMUGGLED,
    "negative Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: -5\r\n\r\nhello" + SMUGGLED,
    "hexadecimal Content-Length": "POST /v1/rules HTTP/1.1\r\n" + H + "Content-Length: 0x5\r\n\r\nhello" + SMUGGLED,
    "two Transfer-Encoding": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "Transfer-Encoding list": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "odd Transfer-Encoding": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "identity Transfer-Encoding": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: identity\r\n\r\n" + SMUGGLED,
    "quoted Transfer-Encoding": "POST /v1/rules HTTP/1.1\r\n" + H + 'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n' + SMUGGLED,
    "Transfer-Encoding with a tab": "POST /v1/rules HTTP/1.1\r\n" + H + "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "Transfer-Encoding in 1.0": "POST /v1/rules HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two Host": "GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n" + SMUGGLED,
    "no Host": "GET /healthz HTTP/1.1\r\n\r\n" + SMUGGLED,
    "bad Host": "GET /healthz HTTP/1.1\r\nHost: a/b@c\r\n\r\n" + SMUGGLED,
    "bad header name": "GET /healthz HTTP/1.1\r\n" + H + "X(y): 1\r\n\r\n" + SMUGGLED,
    "two Authorization": "GET /v1/rules HTTP/1.1\r\n" + H + "Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n" + SMUGGLED,
    "control byte in a value": "GET /healthz HTTP/1.1\r\n" + H + "X: a\x01b\r\n\r\n" + SMUGGLED,
    "NUL escape in the path": "GET /healthz%00 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "NUL escape in the query": "GET /healthz?a=%00 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "half an escape": "GET /healthz%4 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "escape that is none": "GET /healthz%zz HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "control escape": "GET /healthz%0d%0aX:1 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "overlong UTF-8 escape": "GET /%c0%af HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "raw byte above ASCII": "GET /healthz\xe9 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "fragment": "GET /healthz#x HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "asterisk": "OPTIONS * HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "authority form": "CONNECT x:80 HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "odd method": "GETT /healthz HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "lower case method": "get /healthz HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "odd method bytes": "G(T /healthz HTTP/1.1\r\n" + H + "\r\n" + SMUGGLED,
    "odd expectation": "POST /v1/rules HTTP/1.1\r\n" + H + "Expect: 200-ok\r\nContent-Length: 2\r\n\r\n{}" + SMUGGLED,
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_and_closed(service, name):
    # the library refuses some by itself: 0.9.75 then sends its head twice, others just close. Hidden in each is a request for 200.
    assert set(closes(service, REFUSED[name])) <= {400, 501}


@pytest.mark.parametrize("version", ["HTTP/0.9", "HTTP/2.0", "HTTP/1.10", "http/1.1", "FTP/1.1"])
def test_other_versions_are_refused(service, version):
    assert closes(service, f"GET /healthz {version}\r\n{H}\r\n{SMUGGLED}") in ([400], [400, 400], [505], [])


def test_nul_in_a_header_runs_nothing_hidden(service):
    got = closes(service, b"POST /v1/rules HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chun\x00ked\r\nContent-Length: 5\r\n\r\nhello" + SMUGGLED.encode())
    assert got in ([400], [])


def test_known_method_elsewhere_is_405_with_allow(service):
    for method in ("PATCH", "TRACE", "OPTIONS", "PUT"):
        got = raw(service, f"{method} /v1/rules HTTP/1.1\r\n{H}Connection: close\r\n\r\n")
        assert statuses(got) == [405] and b"\r\nAllow: GET, HEAD, POST\r\n" in got, got


def test_pipelined_requests_are_answered_in_order(service):
    got = raw(service, f"GET /healthz HTTP/1.1\r\n{H}\r\nGET /nope HTTP/1.1\r\n{H}\r\nGET /healthz HTTP/1.1\r\n{H}Connection: close\r\n\r\n")
    assert statuses(got) == [200, 404, 200]


def test_absolute_form(service):
    got = raw(service, f"GET http://example.com/healthz HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n")
    assert statuses(got) == [200]


def test_head_has_no_body(service):
    got = raw(service, f"HEAD /healthz HTTP/1.1\r\n{H}Connection: close\r\n\r\n")
    head, _, body = got.partition(b"\r\n\r\n")
    assert b" 200 " in head and b"Content-Length: 15" in head and body == b""


def test_chunked_body_is_read(service):
    body = b'8\r\n{"rule":\r\n3\r\n"!"\r\n1\r\n}\r\n0\r\n\r\n'
    head = f"POST /v1/rules HTTP/1.1\r\n{H}Authorization: Bearer {service.key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    got = raw(service, head.encode() + body)
    assert statuses(got) == [400] and b"application/problem+json" in got     # "!" is no rule, but it was read


def test_chunk_extensions_hide_nothing(service):
    """0.9.75 skips them, 1.0 may refuse them; either way one request, one answer."""
    body = b'8;a=b\r\n{"rule":\r\n3;x\r\n"!"\r\n1\r\n}\r\n0\r\nTrailer: x\r\n\r\n'
    head = f"POST /v1/rules HTTP/1.1\r\n{H}Authorization: Bearer {service.key}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    assert statuses(raw(service, head.encode() + body)) == [400]


@pytest.mark.parametrize("size", [65537, 10 ** 9, 10 ** 17])
def test_body_over_the_cap_is_413_at_once(service, size):
    head = f"POST /v1/rules HTTP/1.1\r\n{H}Authorization: Bearer {service.key}\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    assert closes(service, head) == [413]


def test_chunked_body_over_the_cap_is_413(service):
    head = (f"POST /v1/rules HTTP/1.1\r\n{H}Authorization: Bearer {service.key}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
    assert statuses(raw(service, head + ("4000\r\n" + "x" * 0x4000 + "\r\n") * 5 + "0\r\n\r\n")) == [413]


def test_headers_over_the_memory_are_refused(service):
    got = raw(service, f"GET /healthz HTTP/1.1\r\n{H}X: {'a' * 65536}\r\n\r\n")
    assert statuses(got) in ([431], [413], [414], [])
    assert service.api("GET", "/healthz").status_code == 200


def test_body_where_none_is_taken(service):
    assert closes(service, f"GET /healthz HTTP/1.1\r\n{H}Content-Length: {len(SMUGGLED)}\r\n\r\n{SMUGGLED}") == [400]


def test_content_type_is_required(service):
    for kind in ("text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""):
        r = service.api("POST", "/v1/rules", headers={"Content-Type": kind})
        assert r.status_code == 415, kind


def test_security_headers_and_no_version(service):
    for path in ("/", "/v1/rules", "/nope"):
        r = service.api("GET", path)
        assert r.headers["X-Content-Type-Options"] == "nosniff"
        assert r.headers["Content-Security-Policy"].startswith("default-src 'self'")
        assert "Server" not in r.headers
    assert service.api("GET", "/v1/rules").headers["Cache-Control"] == "no-store"


def test_one_byte_at_a_time_is_cut_at_the_deadline(service):
    """A client that keeps dribbling headers is cut by the absolute deadline, not kept by the idle one."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=2) as s:
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ")
        began = time.monotonic()
        try:
            while time.monotonic() - began < 60:
                s.sendall(b"a")
                time.sleep(0.25)
        except OSError:
            pass
        assert time.monotonic() - began < 45
