"""The streams of asyncio: readline, write, drain."""

import asyncio

from control import under_control


async def echo(reader, writer):
    while line := await reader.readline():
        writer.write(line)
        await writer.drain()
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    under_control(server.sockets[0].getsockname()[1])
    await server.serve_forever()


asyncio.run(main())
