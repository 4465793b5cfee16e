"""Serve the console on this machine and open it in the browser."""

import asyncio
import errno
import os
import socket
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from airunway.console.app import RUN, Console
from airunway.console.process_group import LIMITS
from airunway.console.project import Project
from airunway.console.sign_in import offer_addresses
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console as terminal

_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 refused below
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Protocol(H11Protocol):
    """HTTP/1.1 whose connections are closed if they send no request in time; uvicorn (0.54) has no such limit."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit of the first request's headers."""
        super().connection_made(transport)
        self.loop.call_later(LIMITS["requestSeconds"], self._close_without_request)

    def _close_without_request(self) -> None:
        if self.cycle is None and not self.transport.is_closing():
            self.transport.close()


def serve(root: Path, stack: str, host: str, port: int, *, browser: bool, run: Sequence[str] = RUN) -> None:
    """Serve the project at ``root`` until interrupted, and print its address. Raises ``InputError``."""
    project = Project(root)
    project.path(stack)
    if host in _WILDCARDS:
        raise InputError(
            [
                Problem(
                    "--host",
                    f"{host} means all addresses; give the one that you open the console with",
                )
            ]
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        message = f"{host}:{port} can't be listened on: {os.strerror(error.errno) if error.errno else error}"
        is_taken = error.errno == errno.EADDRINUSE
        hint = "; give another one, or --port 0 for a free one" if is_taken else ""
        raise InputError([Problem("--port" if is_taken else "--host", message + hint)]) from error
    port = listener.getsockname()[1]
    names = {_url_host(name) for name in (host, *_LOOPBACK)} if host in _LOOPBACK else {_url_host(host)}
    guard = Console(project, stack, run).app(f"{name}:{port}" for name in names)
    page = f"http://{_url_host(host)}:{port}/stacks/{stack}/"
    url = f"{page}?token={guard.token}"
    output = terminal(stderr=True)
    if host not in _LOOPBACK:
        output.print(
            f"[yellow]warning:[/yellow] {host} is not loopback: others can reach this console, and what they send is"
            " not encrypted"
        )
    print(url, flush=True)
    is_offered = offer_addresses(lambda: print(f"{page}?token={guard.renew_token()}", flush=True))
    another = "press Enter for another one, " if is_offered else "press "
    output.print(f"The address works once; {another}Ctrl-C to stop the console.", markup=False)
    if browser and sys.stdout.isatty():
        webbrowser.open(url)
    try:
        uvicorn.Server(server_config(guard)).run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        listener.close()


def server_config(application: Any) -> uvicorn.Config:
    """Return how the console is served."""
    return uvicorn.Config(
        application,
        http=Protocol,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )


def _url_host(host: str) -> str:
    return f"[{host}]" if ":" in host else host
