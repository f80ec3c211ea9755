"""The threaded HTTP server. Like AWS it keeps connections open, with a thread for each.

werkzeug's own handler closes every connection after its answer, because it does not know where the next request begins.
Here a request has been read to its end before it is answered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer
from werkzeug.serving import make_server as make_werkzeug_server

from . import calls

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication as App
    from _typeshed.wsgi import WSGIEnvironment as Environ

# Connections that wait to be accepted, at most; Linux allows 4,096.
BACKLOG = 4096


class Handler(MotoRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one write, which must not wait for a delayed ACK.
    wbufsize = -1
    disable_nagle_algorithm = True

    def run_wsgi(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            super().run_wsgi()  # of unknown length; that closes the connection
            return
        self.environ = environ = self.make_environ()
        calls.buffer_body(environ)
        try:
            status, headers, body = fulfil(self.server.app, environ)
        except Exception as error:  # as werkzeug does: the server outlives what goes wrong with one request
            self.server.log("error", f"Error on request: {type(error).__name__}: {error}")
            status, headers, body = "500 Internal Server Error", [], b""
        self.answer(status, headers, body)

    def answer(self, status: str, headers: list[tuple[str, str]], body: bytes) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        for name, value in headers:
            if name.lower() not in ("content-length", "connection"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.wfile.flush()


class QuietHandler(Handler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def fulfil(app: App, environ: Environ) -> tuple[str, list[tuple[str, str]], bytes]:
    """Status, headers and body of the application's answer."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], _: object = None, /) -> Callable[[bytes], object]:
        started[:] = [(status, headers)]
        return lambda _: None

    chunks: Any = app(environ, start_response)
    try:
        body = b"".join(chunks)
    finally:
        if hasattr(chunks, "close"):
            chunks.close()
    return *started[0], body


def make_server(host: str, port: int, app: App, quiet: bool) -> BaseWSGIServer:
    handler = QuietHandler if quiet else Handler
    server = make_werkzeug_server(host, port, app, threaded=True, request_handler=handler)
    # Of the threaded server, which the type does not say.
    server.daemon_threads = True  # pyright: ignore[reportAttributeAccessIssue]
    # A connection that finds the queue full looks open to the caller, who waits for ten seconds.
    server.socket.listen(BACKLOG)
    return server
