"""Parses every MLLP frame on standard input with python3-hl7 and prints one JSON line each.

{"segments": [[field, ...], ...], "time": MSH-7 as the library's parse_datetime reads it}; ends with an error for what is
no frame or no message.
"""

import json
import sys

import hl7

data = sys.stdin.buffer.read().decode("utf-8")
frames = [frame for frame in data.split("\x1c\r") if frame.strip()]
for frame in frames:
    start = frame.index("\x0b")
    text = frame[start + 1 :]
    if frame[:start].strip() or not hl7.ishl7(text):
        sys.exit("no HL7 message: %r" % frame)
    message = hl7.parse(text)
    if str(message).rstrip("\r") != text.rstrip("\r"):
        sys.exit("the library writes the message otherwise than it was: %r" % text)
    segments = [[str(segment[number]) for number in range(len(segment))] for segment in message]
    time = hl7.parse_datetime(str(message.segment("MSH")[7]))
    print(json.dumps({"segments": segments, "time": time.isoformat() if time else None}))
