"""Signed notes, checkpoints and cosignatures of C2SP, and the auditor's trust file."""

import base64
import hashlib
import re

from .canon import Bad, is_digest, need, verifies

DASH = "\u2014 "
MOST_SIGNATURES = 2048
LOG_KEY, COSIGNER_KEY = 1, 4
SIZE = re.compile(r"(0|[1-9][0-9]{0,18})\Z")


def key_id(name, kind, key):
    return hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + key).digest()[:4]


def unbase64(text):
    """Standard base64 with padding, in its one form."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Bad("not base64") from error
    need(base64.b64encode(data).decode() == text, "not base64 in its one form")
    return data


class Note:
    """Text, and signatures as (key name, key id, bytes)."""

    def __init__(self, data):
        try:
            whole = bytes(data).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Bad("a note that is not UTF-8") from error
        need(all(c >= " " or c == "\n" for c in whole), "a control character in a note")
        cut = whole.rfind("\n\n")
        need(cut >= 0 and whole.endswith("\n"), "no signatures under a note")
        self.text = whole[: cut + 1]
        lines = whole[cut + 2 : -1].split("\n")
        need(len(lines) <= MOST_SIGNATURES, "too many signatures under a note")
        self.signatures = []
        for line in lines:
            parts = line.split(" ")
            need(line.startswith(DASH) and len(parts) == 3, "a line that is no signature")
            name, signature = parts[1], unbase64(parts[2])
            odd = any(c.isspace() for c in name) or "+" in name
            need(name and not odd, "the name of a key")
            need(len(signature) > 4, "a signature that is too short")
            self.signatures.append((name, signature[:4], signature[4:]))


class Checkpoint(Note):
    """A note of exactly three lines."""

    def __init__(self, data):
        super().__init__(data)
        lines = self.text.split("\n")
        need(len(lines) == 4 and lines[3] == "", "a checkpoint has three lines")
        need(lines[0] != "", "a checkpoint without an origin")
        need(SIZE.match(lines[1]), "the size in a checkpoint")
        self.origin, self.size, self.root = lines[0], int(lines[1]), unbase64(lines[2])
        need(len(self.root) == 32, "the root in a checkpoint")

    def log_signature_holds(self, key, signature):
        return verifies(key, signature, self.text.encode())

    def cosignature_time(self, key, signature):
        """The time of a cosignature of type 0x04, or None if it does not verify."""
        if len(signature) != 72:
            return None
        time = int.from_bytes(signature[:8], "big")
        message = f"cosignature/v1\ntime {time}\n{self.text}".encode()
        return time if time < 2**63 and verifies(key, signature[8:], message) else None


def vkey(text):
    """(key name, type, key) of `NAME+HEX+BASE64`."""
    parts = text.split("+", 2)
    need(len(parts) == 3 and parts[0], "not a vkey")
    name, hint, data = parts[0], parts[1], unbase64(parts[2])
    need(re.match(r"[0-9a-f]{8}\Z", hint), "the id in a vkey")
    need(len(data) == 33, "the key in a vkey")
    need(key_id(name, data[0], data[1:]).hex() == hint, "the id in a vkey is not its key's")
    return name, data[0], data[1:]


class Trust:
    """The trust file: tlog-policy, and the line `governance`."""

    def __init__(self, text):
        data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)
        bad = [b for b in data if (b < 32 and b not in (9, 10)) or b == 127]
        need(not bad, "a control character in the trust file")
        self.governance, self.witnesses, self.quorum = None, {}, None
        self._has_quorum, self._groups, self._used = False, {}, set()
        need(len(data) <= 1 << 20, "the trust file is too large")
        for line in data.decode("utf-8", "surrogateescape").split("\n"):
            words = [word for word in re.split(r"[ \t]+", line) if word]
            if words and not words[0].startswith("#"):
                self._line(words)
        need(self.governance, "the trust file has no governance key")

    def _line(self, words):
        kind, rest = words[0], words[1:]
        if kind == "governance":
            need(len(rest) == 1 and is_digest(rest[0]), "the governance line")
            need(self.governance is None, "two governance lines")
            self.governance = rest[0]
        elif kind == "log":
            need(len(rest) in (1, 2) and vkey(rest[0])[1] == LOG_KEY, "a log line")
        elif kind == "witness":
            need(len(rest) in (2, 3), "a witness line")
            self._new(rest[0])
            key = vkey(rest[1])
            need(key[1] == COSIGNER_KEY, "a witness key is not of type 0x04")
            need(all(key[2] != one[2] for one in self.witnesses.values()), "a witness twice")
            self.witnesses[rest[0]] = key
        elif kind == "group":
            need(len(rest) >= 3, "a group line")
            self._new(rest[0])
            members = rest[2:]
            for member in members:
                need(member in self.witnesses or member in self._groups, "an unknown member")
                need(member not in self._used, "a member of two groups")
                self._used.add(member)
            words = {"any": 1, "all": len(members)}
            need(rest[1] in words or re.match(r"[1-9][0-9]{0,5}\Z", rest[1]), "a group's number")
            least = words[rest[1]] if rest[1] in words else int(rest[1])
            need(least <= len(members), "a group's number")
            self._groups[rest[0]] = (least, members)
        elif kind == "quorum":
            need(len(rest) == 1 and not self._has_quorum, "the quorum line")
            known = rest[0] in self.witnesses or rest[0] in self._groups
            need(rest[0] == "none" or known, "the quorum names nobody")
            self._has_quorum, self.quorum = True, rest[0]
        else:
            raise Bad("an unknown line in the trust file")

    def _new(self, name):
        taken = name == "none" or name in self.witnesses or name in self._groups
        need(not taken, "a name twice in the trust file")

    def satisfied(self, cosigners):
        """True if these (key name, key) are the quorum."""

        def has(name):
            if name in self.witnesses:
                key_name, _, key = self.witnesses[name]
                return (key_name, key) in cosigners
            least, members = self._groups[name]
            return sum(map(has, members)) >= least

        return self.quorum == "none" or has(self.quorum)
