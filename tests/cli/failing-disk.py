#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A file system with one file, `a`, whose second half can't be read (EIO) as long as a given file exists.

Usage: failing-disk.py MOUNT-POINT BYTES WHEN

Speaks FUSE with the kernel itself, so it takes root and /dev/fuse, and nothing installed. Prints "mounted", and
serves until it is killed or unmounted. Exit code 77: no FUSE here.
"""
import ctypes
import errno
import os
import struct
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, STATFS, RELEASE = 1, 2, 3, 14, 15, 17, 18
FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, INTERRUPT, DESTROY, BATCH_FORGET = 25, 26, 27, 28, 29, 36, 38, 42
ROOT, FILE = 1, 2
A_YEAR = 365 * 24 * 3600

point, size, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
content = os.urandom(1 << 20) * (size >> 20)


def attributes(node):
    """struct fuse_attr"""
    mode, length = (0o40755, 0) if node == ROOT else (0o100644, len(content))
    return struct.pack("<6Q10I", node, length, length // 512, 0, 0, 0, 0, 0, 0, mode, 1, 0, 0, 0, 4096, 0)


def answer(operation, node, body):
    """Returns an error number and the bytes of the answer."""
    if operation == INIT:
        # version 7.23 and what it has: no flags, 128 KiB at once
        return 0, struct.pack("<4I2H2I9I", 7, 23, 128 << 10, 0, 12, 10, 128 << 10, 1, *[0] * 9)
    if operation == LOOKUP:
        if body.rstrip(b"\0") != b"a":
            return errno.ENOENT, b""
        return 0, struct.pack("<4Q2I", FILE, 0, A_YEAR, A_YEAR, 0, 0) + attributes(FILE)
    if operation == GETATTR:
        return 0, struct.pack("<Q2I", A_YEAR, 0, 0) + attributes(node)
    if operation in (OPEN, OPENDIR):
        return 0, struct.pack("<Q2I", 0, 2, 0)  # FOPEN_KEEP_CACHE
    if operation == READ:
        _, offset, length = struct.unpack_from("<2QI", body)
        if offset + length > size // 2 and os.path.exists(when):
            return errno.EIO, b""
        return 0, content[offset:offset + length]
    if operation == STATFS:
        return 0, struct.pack("<5Q4I24x", 1000, 0, 0, 10, 0, 4096, 255, 4096, 0)
    if operation in (READDIR, FLUSH, RELEASE, RELEASEDIR, DESTROY):
        return 0, b""
    return errno.ENOSYS, b""


try:
    device = os.open("/dev/fuse", os.O_RDWR)
except OSError as why:
    sys.exit(print(why) or 77)
libc = ctypes.CDLL(None, use_errno=True)
options = f"fd={device},rootmode=40000,user_id=0,group_id=0,allow_other".encode()
if libc.mount(b"failing-disk", os.fsencode(point), b"fuse", 0, options):
    sys.exit(print(os.strerror(ctypes.get_errno())) or 77)
print("mounted", flush=True)
while True:
    try:
        request = os.read(device, 1 << 20)
    except OSError as why:
        if why.errno in (errno.ENOENT, errno.EINTR):
            continue
        sys.exit(0)  # unmounted
    _, operation, unique, node = struct.unpack_from("<2I2Q", request)
    if operation in (FORGET, BATCH_FORGET, INTERRUPT):
        continue
    error, body = answer(operation, node, request[40:])
    try:
        os.write(device, struct.pack("<Iiq", 16 + len(body), -error, unique) + body)
    except OSError:
        pass  # who asked is gone
