"""The threaded HTTP server, with the two settings that keep a local round trip short."""

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import make_server as make_werkzeug_server


class Handler(MotoRequestHandler):
    # Headers and body are two writes; with Nagle's algorithm each answer would wait for a delayed ACK.
    disable_nagle_algorithm = True
    wbufsize = -1


class QuietHandler(Handler):
    def log_request(self, code="-", size="-"):
        pass


def make_server(host, port, app, quiet):
    handler = QuietHandler if quiet else Handler
    server = make_werkzeug_server(host, port, app, threaded=True, request_handler=handler)
    server.daemon_threads = True
    return server
