"""The services behind the proxies: a process that answers on ports of its own.

usage: demo.py KIND:NAME...   prints {"NAME": port, ...} as one line of JSON, then serves until it is ended
  http    answers every request with a JSON object of what arrived, and agrees to a websocket upgrade (then echoes)
  echo    client first: sends back each line behind its name
  banner  server first: greets with its name, then echoes
"""

import asyncio
import json
import sys


async def read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, path, headers, body


async def echo(name, reader, writer):
    while line := await reader.readline():
        writer.write(name.encode() + b": " + line)
        await writer.drain()


async def serve_http(name, reader, writer):
    while True:
        method, path, headers, body = await read_request(reader)
        if headers.get("upgrade", "").lower() == "websocket":
            writer.write(b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
            return await echo(name, reader, writer)
        told = {"service": name, "method": method, "path": path, "headers": headers, "body": body.decode()}
        text = json.dumps(told).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                     % (len(text), text))
        await writer.drain()


async def serve_banner(name, reader, writer):
    writer.write(b"hello from " + name.encode() + b"\n")
    await writer.drain()
    await echo(name, reader, writer)


async def listen(kind, name):
    serve = {"http": serve_http, "echo": echo, "banner": serve_banner}[kind]

    async def connection(reader, writer):
        try:
            await serve(name, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(connection, "127.0.0.1", 0, backlog=512)


async def main():
    servers = {}
    for argument in sys.argv[1:]:
        kind, _, name = argument.partition(":")
        servers[name] = await listen(kind, name)
    print(json.dumps({name: server.sockets[0].getsockname()[1] for name, server in servers.items()}), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers.values()))


if __name__ == "__main__":
    asyncio.run(main())
