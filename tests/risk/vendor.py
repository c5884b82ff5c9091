"""A vendor of slow checks, over real HTTP on this machine."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Vendor"]


class Vendor:
    """Takes assessments and says what the test tells it to. `asked`: bodies taken; `seen`: every request."""

    def __init__(self) -> None:
        self.decision = ""
        self.fault: tuple[int, bytes] | None = None
        self.hangs = threading.Event()
        self.is_hanging = False
        self.asked: dict[str, dict[str, Any]] = {}
        self.seen: list[tuple[str, str, str]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening."""
        self.hangs.set()
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, reference: str) -> tuple[int, dict[str, Any]]:
        body = {"id": f"as_{reference}", "reference": reference}
        if not self.decision:
            return 202, {**body, "status": "pending"}
        return 200, {**body, "status": self.decision}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                vendor.asked.setdefault(body["reference"], body)
                self._reply(body["reference"])

            def do_GET(self) -> None:
                self._reply(self.path.rpartition("/as_")[2])

            def _reply(self, reference: str) -> None:
                vendor.seen.append((self.command, reference, self.headers.get("Authorization", "")))
                if vendor.is_hanging:
                    vendor.hangs.wait(30)
                if vendor.fault:
                    status, data = vendor.fault
                else:
                    status, answer = vendor._answer(reference)
                    data = json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_: Any) -> None:
                return

        return Handler
