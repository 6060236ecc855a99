"""A TCP link with the faults that a test chooses: cut, held, forgotten, slow, in small pieces. It runs in this process
and needs no rights, unlike stand/network.py."""

import asyncio
import contextlib
import socket
import struct
import threading

from stand.waiting import PATIENCE, free_port

MOST_AT_ONCE = 65536


class Link:
    """Listens on `port` and leads to the port `target`. What is set counts for bytes from then on."""

    def __init__(self, target, address="127.0.0.1"):
        self.address = "127.0.0.1"
        self.port = free_port()
        self.target = address, target
        self.rate = None      # bytes a second, each way and connection
        self.piece = None     # most bytes at a time
        self.latency = 0.0    # seconds, each way
        self.carried = 0      # bytes, both ways
        self._held = False
        self._lines = set()
        self._server = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    # --- what tests say ---

    def cut(self):
        """Resets every connection and refuses new ones."""
        self._call(self._close())

    def restore(self):
        """Ends every fault. Connections that were held go on where they were, those forgotten never do."""
        self.rate = self.piece = None
        self.latency = 0.0
        self._held = False
        self.reopen()

    def reopen(self):
        """After a cut; slow as it was."""
        if not self._server:
            self._call(self._open())

    def hold(self):
        """Carries nothing, and closes nothing: neither side is told."""
        self._held = True

    def forget(self):
        """The connections there are carry nothing any more, as when one end has lost its power; new ones work."""
        self._call(self._forget())

    def connections(self):
        return len(self._lines)

    def __enter__(self):
        self._thread.start()
        self._call(self._open())
        return self

    def __exit__(self, *unused):
        self._call(self._close())
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    # --- in the loop ---

    def _call(self, routine):
        return asyncio.run_coroutine_threadsafe(routine, self._loop).result(PATIENCE)

    async def _open(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port, backlog=512)

    async def _close(self):
        if self._server:
            self._server.close()
            self._server = None
        for line in list(self._lines):
            line.reset()

    async def _forget(self):
        for line in self._lines:
            line.is_forgotten = True

    async def _end(self):
        rest = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _accept(self, reader, writer):
        line = Line(writer)
        self._lines.add(line)
        try:
            while self._held:
                await asyncio.sleep(0.01)
            far_reader, far_writer = await asyncio.open_connection(*self.target)
            line.writers.append(far_writer)
            await asyncio.gather(self._carry(line, reader, far_writer), self._carry(line, far_reader, writer))
        except OSError:
            line.reset()
        finally:
            self._lines.discard(line)
            line.close()

    async def _carry(self, line, reader, writer):
        while data := await reader.read(self.piece or MOST_AT_ONCE):
            if self.latency:
                await asyncio.sleep(self.latency)
            while self._held or line.is_forgotten:
                await asyncio.sleep(0.01)
            writer.write(data)
            await writer.drain()
            self.carried += len(data)
            if self.rate:
                await asyncio.sleep(len(data) / self.rate)
        with contextlib.suppress(OSError):
            writer.write_eof()


class Line:
    """One connection, both ways."""

    def __init__(self, writer):
        self.writers = [writer]
        self.is_forgotten = False

    def reset(self):
        for writer in self.writers:
            with contextlib.suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    def close(self):
        for writer in self.writers:
            writer.close()
