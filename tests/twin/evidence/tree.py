"""The Merkle tree of RFC 6962 and the tiles of c2sp.org/tlog-tiles."""

import hashlib

from .canon import Bad, need

EMPTY = hashlib.sha256(b"").digest()
WIDTH = 256


def leaf(entry):
    return hashlib.sha256(b"\0" + entry).digest()


def node(left, right):
    return hashlib.sha256(b"\1" + left + right).digest()


def roots(leaves, sizes):
    """The roots of the prefixes of these sizes, in one pass."""
    wanted, found = set(sizes), {}
    if 0 in wanted:
        found[0] = EMPTY
    peaks = []  # complete subtrees from the left, each with its height
    for count, one in enumerate(leaves, 1):
        height = 0
        while peaks and peaks[-1][0] == height:
            one, height = node(peaks.pop()[1], one), height + 1
        peaks.append((height, one))
        if count in wanted:
            root = peaks[-1][1]
            for _, peak in reversed(peaks[:-1]):
                root = node(peak, root)
            found[count] = root
    return found


def number(index):
    """A tile's index as path elements of three digits."""
    parts = [f"{index % 1000:03}"]
    while index >= 1000:
        index //= 1000
        parts.insert(0, f"x{index % 1000:03}")
    return "/".join(parts)


def _tiles(kind, count):
    """(path, first, width) of each tile over `count` things."""
    for index in range(count // WIDTH):
        yield f"tile/{kind}/{number(index)}", index * WIDTH, WIDTH
    if count % WIDTH:
        index = count // WIDTH
        yield f"tile/{kind}/{number(index)}.p/{count % WIDTH}", index * WIDTH, count % WIDTH


def entry_bundles(size):
    return _tiles("entries", size)


def hash_tiles(leaves):
    """(path, content) of each hash tile of a tree."""
    level, hashes = 0, leaves
    while hashes:
        for path, first, width in _tiles(level, len(hashes)):
            yield path, b"".join(hashes[first : first + width])
        full = range(len(hashes) // WIDTH)
        hashes = [roots(hashes[WIDTH * i : WIDTH * (i + 1)], [WIDTH])[WIDTH] for i in full]
        level += 1


def split(bundle, width=None):
    """The entries of an entry bundle; all of it, and `width` of them if that is given."""
    entries, at, data = [], 0, bytes(bundle)
    while at < len(data):
        need(at + 2 <= len(data), "an entry bundle is cut off")
        size = int.from_bytes(data[at : at + 2], "big")
        need(at + 2 + size <= len(data), "an entry bundle is cut off")
        entries.append(data[at + 2 : at + 2 + size])
        at += 2 + size
        need(len(entries) <= WIDTH, "too many entries in a bundle")
    need(width is None or len(entries) == width, "not the entries of its width")
    return entries


def read(files, size):
    """The entries of a log from its files, which must be exactly those of its size."""
    if size > WIDTH * len(files):
        raise Bad("fewer tiles than the size asks for")
    entries, used = [], set()
    for path, _, width in entry_bundles(size):
        need(path in files, f"{path} is missing")
        entries += split(files[path], width)
        used.add(path)
    leaves = [leaf(entry) for entry in entries]
    for path, content in hash_tiles(leaves):
        need(path in files, f"{path} is missing")
        need(bytes(files[path]) == content, f"{path} is not made of the entries")
        used.add(path)
    extra = sorted(set(files) - used)
    need(not extra, f"{extra[:1]} is no tile of this size")
    return entries, leaves
