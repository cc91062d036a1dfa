"""Canonical JSON, names, digests and labelled signatures (docs/evidence-format.md, "Words")."""

import hashlib
import json
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LARGEST = 2**53 - 1
DEPTH = 32

DIGEST = re.compile(r"[0-9a-f]{64}\Z")
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
PERIOD = re.compile(r"(19|[2-9][0-9])[0-9]{2}Q[1-4]\Z")
HEX = re.compile(r"([0-9a-f]{2})*\Z")


class Bad(Exception):
    """Bytes that are not what they should be; the message says how."""


def need(holds, message):
    if not holds:
        raise Bad(message)


def _integer(text):
    if len(text) > 17 or text == "-0" or abs(int(text)) > LARGEST:
        raise Bad("an integer out of range")
    return int(text)


def _refuse(_text):
    raise Bad("a number that is no integer")


def _object(pairs):
    found = dict(pairs)
    need(len(found) == len(pairs), "a key twice")
    return found


def encode(value):
    """The canonical bytes of a value that has some."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("ascii")


def decode(data):
    """The value of canonical bytes; `Bad` for all others."""
    data = bytes(data)
    need(data.isascii() and b"\x7f" not in data, "not printable ASCII")
    try:
        value = json.loads(
            data.decode("ascii"),
            parse_int=_integer,
            parse_float=_refuse,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
        again = encode(value)
    except (ValueError, RecursionError, UnicodeError) as error:
        raise Bad("not JSON") from error
    need(again == data, "not canonical")
    # Strings are ASCII and printable, since an escape would not come back as it was,
    # but for the escapes of control characters: those are looked for here.
    need(b"\\u" not in data or not _controls(value), "a character out of range")
    level, depth = [value], 0
    while level:
        depth += 1
        need(depth <= DEPTH, "too deep")
        below = []
        for one in level:
            if one is None:
                raise Bad("a null")
            if isinstance(one, dict):
                below.extend(one.values())
            elif isinstance(one, list):
                below.extend(one)
            elif isinstance(one, str) and not one.isprintable():
                raise Bad("a character out of range")
        level = below
    return value


def _controls(value):
    stack = [value]
    while stack:
        one = stack.pop()
        if isinstance(one, str):
            if not one.isprintable():
                return True
        elif isinstance(one, dict):
            stack.extend(one)
            stack.extend(one.values())
        elif isinstance(one, list):
            stack.extend(one)
    return False


def sha(data):
    return hashlib.sha256(data).hexdigest()


def is_int(value, least=0, most=LARGEST):
    return type(value) is int and least <= value <= most


def is_digest(value):
    return isinstance(value, str) and DIGEST.match(value) is not None


def is_name(value):
    return isinstance(value, str) and NAME.match(value) is not None


def is_period(value):
    return isinstance(value, str) and PERIOD.match(value) is not None


def is_hex(value, size=None):
    fits = isinstance(value, str) and HEX.match(value) is not None
    return fits and (size is None or len(value) == 2 * size)


def ascending(items):
    return all(a < b for a, b in zip(items, items[1:]))


def verifies(key, signature, message):
    """An Ed25519 signature; key and signature as bytes."""
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def signed(key_hex, signature_hex, label, message):
    """True for `sign("koonti/v1/LABEL", message)` under a key."""
    if not (is_digest(key_hex) and is_hex(signature_hex, 64)):
        return False
    text = b"koonti/v1/" + label.encode("ascii") + b"\0" + message
    return verifies(bytes.fromhex(key_hex), bytes.fromhex(signature_hex), text)
