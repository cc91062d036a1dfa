"""The archive of a bundle (docs/evidence-format.md, "Bundle")."""

import re

from .canon import Bad, decode, is_digest, is_name, need, sha

BLOCK = 512
ZERO = bytes(BLOCK)
TILE = r"(x[0-9]{3}/)*[0-9]{3}(\.p/([1-9]|[1-9][0-9]|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?"
PLACE = r"([0-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
LEVEL = r"([0-9]|[1-5][0-9]|6[0-3]|entries)"
PATHS = [
    re.compile(pattern + r"\Z")
    for pattern in (
        r"bundle\.json",
        r"blobs/[0-9a-f]{64}",
        rf"logs/(coordinator|node-[a-z0-9-]+)/(checkpoint|tile/{LEVEL}/{TILE})",
        rf"rounds/[0-9a-f]{{64}}/(adverts|u2|survivors|confirmations|(masked|own|mask)/{PLACE})",
    )
]


def _text(field):
    """A field filled up with zeros."""
    text = field.rstrip(b"\0")
    need(b"\0" not in text, "a zero inside a name")
    return text


def _member(header):
    """(name, size) of a header block that has the one form."""
    name, prefix = _text(header[0:100]), _text(header[345:500])
    need(not prefix or len(prefix) + 1 + len(name) > 100, "a name divided without need")
    name = prefix + b"/" + name if prefix else name
    need(header[100:108] == b"0000444\0", "a mode other than 0444")
    need(header[108:124] == b"0000000\0" * 2, "an owner or group")
    need(re.match(rb"[0-7]{11}\0\Z", header[124:136]), "the form of a size")
    need(header[136:148] == b"00000000000\0", "a time")
    total = sum(header[:148]) + 8 * 32 + sum(header[156:])
    need(header[148:156] == b"%06o\0 " % total, "a header's checksum")
    need(header[156:157] == b"0", "something other than a regular file")
    need(not any(header[157:257]), "a link")
    need(header[257:265] == b"ustar\x0000", "not USTAR")
    need(not any(header[265:329]), "the name of an owner or group")
    need(header[329:345] == b"0000000\0" * 2, "a device")
    need(not any(header[500:512]), "bytes behind a header")
    try:
        return name.decode("ascii"), int(header[124:135], 8)
    except UnicodeDecodeError as error:
        raise Bad("a path beyond ASCII") from error


def unpack(data):
    """An object from names to contents."""
    view, at, files, last = memoryview(data), 0, {}, ""
    need(len(data) % BLOCK == 0 and len(data) >= 2 * BLOCK, "not made of whole blocks")
    while True:
        need(at + BLOCK <= len(data), "no end")
        header = bytes(view[at : at + BLOCK])
        if header == ZERO:
            break
        name, size = _member(header)
        need(name > last, f"{name[:80]!r} is out of order or twice")
        need(any(pattern.match(name) for pattern in PATHS), f"{name[:80]!r} is no path of a bundle")
        blocks = -(-size // BLOCK) * BLOCK
        need(size <= len(data) and at + BLOCK + blocks <= len(data), f"{name} is cut off")
        start = at + BLOCK
        need(not any(view[start + size : start + blocks]), f"the padding of {name}")
        files[name], last = view[start : start + size], name
        at = start + blocks
    need(len(data) == at + 2 * BLOCK and bytes(view[at:]) == ZERO + ZERO, "the end of the archive")
    return files


class Bundle:
    """An archive whose list and hashes hold; raises `Bad` for any other."""

    def __init__(self, data):
        self.files = unpack(data)
        need("bundle.json" in self.files, "no bundle.json")
        meta = decode(self.files["bundle.json"])
        need(isinstance(meta, dict) and meta.keys() == {"files", "region", "v"}, "bundle.json")
        need(meta["v"] == 1 and type(meta["v"]) is int, "the version of bundle.json")
        need(is_name(meta["region"]), "the region of bundle.json")
        listed = meta["files"]
        need(isinstance(listed, dict), "the files of bundle.json")
        others = self.files.keys() - {"bundle.json"}
        wrong = sorted(listed.keys() ^ others)
        need(not wrong, f"{wrong[:1]} is only in bundle.json or only in the archive")
        for name in sorted(others):
            found = sha(self.files[name])
            need(listed[name] == found, f"{name} has another hash than bundle.json says")
            blob = name.startswith("blobs/")
            need(not blob or name == f"blobs/{found}", f"{name} is not named by its hash")
        self.region, self.logs, self.rounds = meta["region"], {}, {}
        for name in others:
            top, _, rest = name.partition("/")
            if top in ("logs", "rounds"):
                folder, _, path = rest.partition("/")
                holder = self.logs if top == "logs" else self.rounds
                holder.setdefault(folder, {})[path] = self.files[name]
        for folder in self.logs:
            fits = folder == "coordinator" or is_name(folder.removeprefix("node-"))
            need(fits, f"logs/{folder} has no node's name")
        assert all(is_digest(folder) for folder in self.rounds)

    def blob(self, digest):
        """The blob's bytes, or None."""
        found = self.files.get(f"blobs/{digest}")
        return None if found is None else bytes(found)
