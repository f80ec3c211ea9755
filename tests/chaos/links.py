"""Links between processes that can be slow, go silent or be cut: TCP proxies on 127.0.0.1, in a separate thread."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Coroutine, Iterable
from typing import Any

CHUNK = 65536
# Chunks on their way in one direction; then the sender has to wait, as on a real link.
ON_THE_WAY = 64
# Closes a socket with a reset instead of an orderly end.
RESET = struct.pack("ii", 1, 0)


class Links:
    """All links by name. Every method may be called from the harness's thread."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.links: dict[str, Link] = {}

    def port(self, name: str, target: int) -> int:
        """Where to connect in order to reach the port `target` of 127.0.0.1; the link is made when there is none yet."""
        if name not in self.links:
            self.links[name] = self.call(open_link(name, target))
        return self.links[name].port

    def latency(self, names: Iterable[str], seconds: float) -> None:
        """How long each chunk is under way, in each direction, from now on."""
        for name in names:
            self.links[name].latency = seconds

    def silence(self, names: Iterable[str]) -> None:
        """Carries nothing until `speak`; connections are accepted and stay open."""
        self.each(names, Link.silence)

    def speak(self, names: Iterable[str], forget: bool = False) -> None:
        """Carries again what was held; with `forget`, connections that met the silence stay silent for ever."""
        self.each(names, lambda link: link.speak(forget))

    def cut(self, names: Iterable[str]) -> None:
        """Resets all connections at once; new ones are carried."""
        self.each(names, Link.cut)

    def calm(self) -> None:
        """All as it was at first, with no connection left that is silent for ever."""
        for link in self.links.values():
            link.latency = 0
        silent = [name for name, link in self.links.items() if link.has_silent()]
        self.each(silent, Link.cut)
        self.speak(list(self.links))

    def close(self) -> None:
        """Ends all links; new ones can be made."""
        for link in self.links.values():
            self.call(link.close())
        self.links = {}

    def state(self) -> list[str]:
        """A line for each link that has connections or is disturbed."""
        return [line for line in (link.state() for link in self.links.values()) if line]

    def each(self, names: Iterable[str], act: Callable[[Link], None]) -> None:
        async def act_on_all() -> None:
            for name in names:
                act(self.links[name])

        self.call(act_on_all())

    def call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(timeout=30)


async def open_link(name: str, target: int) -> Link:
    link = Link(name, target)
    # Buffers of usual size, and room for all connections of a role that comes back.
    server = await asyncio.start_server(link.accept, "127.0.0.1", 0, backlog=256)
    link.server, link.port = server, server.sockets[0].getsockname()[1]
    return link


class Link:
    def __init__(self, name: str, target: int) -> None:
        self.name, self.target = name, target
        self.latency: float = 0
        self.open = asyncio.Event()
        self.open.set()
        self.connections: set[Connection] = set()
        self.server: asyncio.Server | None = None
        # Set when the server listens.
        self.port = 0

    def silence(self) -> None:
        self.open.clear()

    def speak(self, forget: bool) -> None:
        if forget and not self.open.is_set():
            for connection in self.connections:
                connection.silent = True
        self.open.set()

    def cut(self) -> None:
        for connection in list(self.connections):
            connection.end()

    def has_silent(self) -> bool:
        return any(connection.silent for connection in self.connections)

    async def close(self) -> None:
        if self.server:
            self.server.close()
        self.cut()

    def state(self) -> str | None:
        silent = sum(connection.silent for connection in self.connections)
        if not self.connections and self.open.is_set():
            return None
        words = [f"{len(self.connections)} connections"]
        words += [f"{silent} of them silent for ever"] if silent else []
        words += [] if self.open.is_set() else ["silent"]
        return f"{self.name}: {', '.join(words)}"

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self, writer)
        self.connections.add(connection)
        connection.task = asyncio.current_task()
        try:
            await connection.carry(reader)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.connections.discard(connection)
            connection.reset()


class Connection:
    def __init__(self, link: Link, client: asyncio.StreamWriter) -> None:
        self.link, self.writers = link, [client]
        self.silent = False
        self.task: asyncio.Task[Any] | None = None

    async def carry(self, client_reader: asyncio.StreamReader) -> None:
        await self.link.open.wait()
        if self.silent:
            await discard(client_reader)
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", self.link.target)
        client = self.writers[0]
        self.writers.append(writer)
        ways = [asyncio.ensure_future(self.way(*ends)) for ends in ((client_reader, writer), (reader, client))]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def way(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One direction, to its end."""
        held = asyncio.Queue(ON_THE_WAY)
        sending = asyncio.ensure_future(self.send(held, writer))
        try:
            while True:
                data = await reader.read(CHUNK)
                await held.put((now() + self.link.latency, data))
                if not data:
                    await sending
                    return
        finally:
            sending.cancel()

    async def send(self, held: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter) -> None:
        while True:
            due, data = await held.get()
            await asyncio.sleep(max(0, due - now()))
            await self.link.open.wait()
            if self.silent:
                continue
            if not data:
                return
            writer.write(data)
            await writer.drain()

    def end(self) -> None:
        if self.task:
            self.task.cancel()

    def reset(self) -> None:
        for writer in self.writers:
            with contextlib.suppress(OSError, AttributeError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            writer.transport.abort()


async def discard(reader: asyncio.StreamReader) -> None:
    while await reader.read(CHUNK):
        pass


def now() -> float:
    return asyncio.get_running_loop().time()
