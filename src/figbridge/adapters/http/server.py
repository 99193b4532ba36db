"""Serve a process's probes and figures over HTTP, in a thread of its own.

`/livez`, `/readyz` and `/startupz` are the probes that Kubernetes knows: 200 for yes, 503 for no, with the reason as
text. `/metrics` is Prometheus' text format.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from figbridge.errors import Unreachable
from figbridge.telemetry.health import Answer, Health
from figbridge.telemetry.metrics import Registry

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def application(health: Health, figures: Registry) -> Starlette:
    """Return the web application."""

    def probe(ask: Callable[[], Answer]) -> Callable[[Request], Response]:
        def answer(_: Request) -> Response:
            yes, why = ask()
            return PlainTextResponse(f"{why}\n", status_code=200 if yes else 503)

        return answer

    def metrics(_: Request) -> Response:
        return Response(figures.text(), media_type=_METRICS_TYPE)

    probes = {"/livez": health.live, "/readyz": health.ready, "/startupz": health.started}
    return Starlette(routes=[*(Route(path, probe(ask)) for path, ask in probes.items()), Route("/metrics", metrics)])


@contextmanager
def served(host: str, port: int, health: Health, figures: Registry) -> Iterator[str]:
    """Serve for as long as the context lasts; gives the address. Port 0 takes a free one.

    Raises Unreachable when the port cannot be had.
    """
    listening = _listen(host, port)
    config = uvicorn.Config(
        application(health, figures), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name="probes", daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=5)
        listening.close()


def _listen(host: str, port: int) -> socket.socket:
    """Bind before the thread starts: a port that is taken is the caller's to know."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise Unreachable(
            f"the probes cannot listen on {host}:{port}: {error.strerror}", hint="choose another with --listen"
        ) from None
