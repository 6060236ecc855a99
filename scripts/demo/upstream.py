#!/usr/bin/python3
"""usage: upstream.py PORT NAME

The demo upstream: answers every request on 127.0.0.1:PORT with what it saw of it, as JSON. Stops at SIGTERM.
"""

import json
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGEST_BODY = 1 << 20


class Mirror(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 60

    def answer(self):
        size = int(self.headers.get("Content-Length") or 0)
        if size > LARGEST_BODY:
            self.send_error(413)
            return
        body = self.rfile.read(size)
        seen = {"upstream": self.server.name, "method": self.command, "path": self.path,
                "headers": dict(self.headers.items())}
        if body:
            seen["body"] = body.decode(errors="replace")
        text = (json.dumps(seen, indent=2) + "\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = answer


def main():
    port, name = sys.argv[1:]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = ThreadingHTTPServer(("127.0.0.1", int(port)), Mirror)
    server.name = name
    server.serve_forever()


if __name__ == "__main__":
    main()
