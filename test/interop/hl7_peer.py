"""An HL7 peer made of python3-hl7: listens on any free port, prints it, answers every message AA and prints it as JSON.

First line: {"port": N}. Then one line a message: {"raw": text, "again": the text as the library writes it,
"segments": [[field, ...], ...]} with the fields numbered as in HL7.
"""

import asyncio
import json

import hl7
from hl7.mllp import start_hl7_server


def fields_of(segment):
    return [str(segment[number]) for number in range(len(segment))]


def describe(message):
    raw = str(message)
    return {"raw": raw, "again": str(hl7.parse(raw)), "segments": [fields_of(segment) for segment in message]}


async def serve_connection(reader, writer):
    try:
        while not writer.is_closing():
            message = await reader.readmessage()
            writer.writemessage(message.create_ack("AA"))
            await writer.drain()
            print(json.dumps(describe(message)), flush=True)
    except asyncio.IncompleteReadError:
        pass
    finally:
        writer.close()


async def main():
    server = await start_hl7_server(serve_connection, "127.0.0.1", 0, encoding="utf-8")
    print(json.dumps({"port": server.sockets[0].getsockname()[1]}), flush=True)
    async with server:
        await server.serve_forever()


asyncio.run(main())
