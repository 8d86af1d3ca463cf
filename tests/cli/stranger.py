#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A client of 'copytax serve' that is not copytax: the protocol written down a second time, and everything
that a stranger might do instead. Usage: stranger.py HOST PORT WHAT [ARGUMENTS...]

Ends with 0 when the server did what it has to, and prints what that was."""
import hashlib
import hmac
import os
import random
import socket
import struct
import sys
import time

HELLO, CHALLENGE, PROOF, WELCOME, REFUSED, PREPARE, PORT, READY, DONE = range(1, 10)
GARBAGE, VERSION, SECRET, BUSY, LIMIT, CANT, FAILED = range(1, 8)
host, port, what, arguments = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4:]


def connect():
    return socket.create_connection((host, port), timeout=20)


def text(value):
    return bytes([len(value)]) + value.encode()


def message(kind, body=b"", length=None):
    return b"CTAX" + struct.pack(">HHI", kind, 0, len(body) if length is None else length) + body


def read(s, size):
    data = b""
    while len(data) < size:
        piece = s.recv(size - len(data))
        if not piece:
            raise EOFError(f"{len(data)} of {size} bytes came")
        data += piece
    return data


def take(s):
    magic, kind, zero, length = struct.unpack(">4sHHI", read(s, 12))
    assert magic == b"CTAX" and zero == 0 and length <= 512, (magic, zero, length)
    return kind, read(s, length)


def hello(version=1, tool=None):
    body = struct.pack(">HB", version, 0) + text(tool or os.environ["TOOL"]) + text("stranger")
    return message(HELLO, body + b"\1" * 32)


def refused(s):
    """The server's refusal: its code and words, and that it hangs up after them."""
    kind, body = take(s)
    assert kind == REFUSED, kind
    reason = body[3:].decode()
    assert len(reason) == body[2] and len(reason) > 10, body
    assert s.recv(1) == b""
    return struct.unpack(">H", body[:2])[0], reason


def prove(s, secret):
    s.sendall(hello())
    kind, body = take(s)
    assert kind == CHALLENGE, (kind, body)
    return hmac.new(secret, b"copytax-1 client\0" + b"\1" * 32 + body[-32:], hashlib.sha256).digest(), body[-32:]


def log_in(secret):
    s = connect()
    mac, nonce = prove(s, secret)
    s.sendall(message(PROOF, mac))
    kind, body = take(s)
    assert kind == WELCOME, body
    mine = hmac.new(secret, b"copytax-1 server\0" + b"\1" * 32 + nonce, hashlib.sha256).digest()
    assert body[:32] == mine, "the server does not know the secret"
    return s


def prepare(size, sink=0, congestion="", limit=30, connections=1, buffers=(0, 0)):
    body = struct.pack(">QBBHIII", size, sink, 0, connections, *buffers, limit) + text(congestion)
    return message(PREPARE, body)


def the_secret():
    with open(arguments[0], "rb") as file:
        return file.read().strip()


def half_open():
    """Says nothing, or half a message, until standard input ends."""
    open_ones = []
    for i in range(int(arguments[0])):
        s = connect()
        s.sendall(hello()[: i % 40])
        open_ones.append(s)
    print(f"{len(open_ones)} half-open", flush=True)
    sys.stdin.read()


def silent():
    """Says half a message, and is told to go."""
    s = connect()
    s.sendall(hello()[:20])
    code, reason = refused(s)
    assert code == LIMIT, (code, reason)
    print(reason)


def garbage():
    chance = random.Random(7)
    told = 0
    for i in range(int(arguments[0])):
        s = connect()
        if i % 4 == 0:
            data = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
        elif i % 4 == 1:
            data = chance.randbytes(chance.randrange(1, 100000))
        elif i % 4 == 2:
            data = message(HELLO, chance.randbytes(chance.randrange(512)))
        else:
            data = message(chance.randrange(2, 20), chance.randbytes(chance.randrange(100)))
        s.sendall(data)
        try:
            code, reason = refused(s)
        except ConnectionResetError:
            continue  # more was on its way than a farewell lasts
        assert code in (GARBAGE, VERSION), (i, code, reason)
        told += 1
    assert told > int(arguments[0]) // 2, told
    print("garbage refused")


def claims():
    """Lengths that no message has: refused before anything of them is waited for."""
    for length in (0xFFFFFFFF, 0x80000000, 1 << 20, 513):
        s = connect()
        s.sendall(message(HELLO, b"", length))
        code, reason = refused(s)
        assert code == GARBAGE and "longer" in reason, (code, reason)
    print("claims refused")


def flood():
    """Connections as fast as they can be made: left open, reset, or with a few bytes in them."""
    left = []
    for i in range(int(arguments[0])):
        s = connect()
        if i % 3 == 0:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            s.close()
        elif i % 3 == 1:
            s.sendall(hello()[:15])
            left.append(s)
        else:
            left.append(s)
    print(f"{arguments[0]} connections made, {len(left)} of them left open")


def wrong_secret():
    for i in range(int(arguments[0])):
        s = connect()
        mac, _ = prove(s, b"not the secret, %d" % i)
        s.sendall(message(PROOF, mac))
        code, reason = refused(s)
        assert code == SECRET and "wrong secret" in reason, (code, reason)
    print(f"wrong secret refused {arguments[0]} times")


def no_proof():
    """What needs a proof, without one; and a second message before the answer to the first."""
    s = connect()
    s.sendall(prepare(1000))
    assert refused(s)[0] == GARBAGE
    s = connect()
    prove(s, b"")
    s.sendall(prepare(1000))
    assert refused(s)[0] == GARBAGE
    s = connect()
    s.sendall(hello() + message(PROOF, b"\0" * 32))
    assert refused(s)[0] == GARBAGE
    print("no proof, no service")


def versions():
    for data in (hello(version=2), hello(tool="0.0.0")):
        s = connect()
        s.sendall(data)
        code, reason = refused(s)
        assert code == VERSION and "the same copytax on both hosts" in reason, (code, reason)
    print("other versions refused")


def transfer():
    """An honest transfer by the book, while strangers with other tokens crowd its data port."""
    size = 1000000
    s = log_in(the_secret())
    s.sendall(prepare(size, sink=3))
    kind, body = take(s)
    assert kind == PORT, (kind, body)
    data_port, token = struct.unpack(">H", body[:2])[0], body[2:]
    strangers = []
    for i in range(100):
        o = socket.create_connection((host, data_port), timeout=20)
        o.sendall((b"", token[:15], b"\0" * 16, b"\0" * 5000)[i % 4])
        strangers.append(o)
    d = socket.create_connection((host, data_port), timeout=20)
    d.sendall(token)
    kind, body = take(s)
    assert kind == READY, (kind, body)
    d.sendall(b"x" * size)
    assert struct.unpack(">Q", read(d, 8))[0] == size
    kind, body = take(s)
    assert kind == DONE, (kind, body)
    received, _, cpu_ns, mapped, odd = struct.unpack(">QQQQI", body)
    assert mapped == 0 and odd == 0, (mapped, odd)
    assert received == size and 0 < cpu_ns < 10**10, (received, cpu_ns)
    # and what a client that has proved itself must not ask for
    s.sendall(prepare(size, congestion=arguments[1] if len(arguments) > 1 else "no_such_control"))
    code, reason = refused(s)
    assert code == CANT and "congestion" in reason, (code, reason)
    print("transferred by the book")


def out_of_bounds():
    for bad in (prepare(1 << 63), prepare(1, sink=15), prepare(1, connections=0), prepare(1, connections=5000),
                prepare(1, buffers=(1 << 31, 0)), prepare(1, limit=0), message(PREPARE, b"", 0xFFFFFFFF),
                message(PROOF, b"\0" * 32), b"\0" * 100):
        s = log_in(the_secret())
        s.sendall(bad)
        code, reason = refused(s)
        assert code == GARBAGE, (code, reason)
    print("out of bounds refused")


def hold():
    """A session that does nothing, until standard input ends; with 'stall', a transfer that stops halfway."""
    s = log_in(the_secret())
    if arguments[1:] == ["stall"]:
        s.sendall(prepare(1000000))
        kind, body = take(s)
        d = socket.create_connection((host, struct.unpack(">H", body[:2])[0]), timeout=20)
        d.sendall(body[2:] + b"x" * 1000)
        assert take(s)[0] == READY
    print("held", flush=True)
    if arguments[1:] in (["stall"], ["idle"]):
        code, reason = refused(s)
        assert code == LIMIT, (code, reason)
        print(reason)
    else:
        sys.stdin.read()


started = time.monotonic()
{"half-open": half_open, "silent": silent, "garbage": garbage, "claims": claims, "flood": flood,
 "wrong-secret": wrong_secret, "no-proof": no_proof, "versions": versions, "transfer": transfer,
 "out-of-bounds": out_of_bounds, "hold": hold}[what]()
