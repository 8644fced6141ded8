"""Damage to files and requests: random, and the same for the same seed."""

import gzip
import io
import json
import re
import struct
import zipfile
from collections.abc import Callable, Sequence
from random import Random

EXTREMES = (0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**40, 2**63 - 1, 2**64 - 1)
NUMBERS = (
    "0",
    "-1",
    "1000000000",
    "1e30",
    "nan",
    ".inf",
    "null",
    "true",
    "[]",
    "{}",
    "''",
    "9" * 400,
)
CODE = "{_target_: os.mkdir, path: escaped}"
ODD_TEXT = (CODE, "\x1b[31m", "\udc80", "../../escaped", "${oc.env:HOME}", "\n\n", "\0", "é" * 300)
# cos / mkdir / "escaped": what a pickle would run.
PICKLE = b"\x80\x02cos\nmkdir\nX\x07\x00\x00\x00escaped\x85R."


def mutate(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Damages ``data`` in one to three ways, on its surface or inside of what it packs."""
    if rng.random() < 0.5:
        for unpack in (_in_zip, _in_gzip, _in_safetensors):
            changed = unpack(data, others, rng)
            if changed is not None:
                return changed
    for _ in range(rng.randint(1, 3)):
        data = rng.choice(WAYS)(data, others, rng)
    return data


def mutate_text(text: str, rng: Random) -> str:
    """Damages YAML, JSON, or HTTP where a person or a program would: numbers, words, whole lines."""
    for _ in range(rng.randint(1, 3)):
        text = rng.choice(TEXT_WAYS)(text, rng)
    return text


def _flip_bits(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.randint(1, 20)):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _flip_bits_of_the_header(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return _flip_bits(data[:256], others, rng) + data[256:]


def _cut(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def _change_a_number(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Lengths, sizes, and offsets are numbers of 1 to 8 bytes, mostly near the start."""
    width, code = rng.choice([(1, "B"), (2, "H"), (4, "I"), (8, "Q")])
    number = rng.choice(EXTREMES) % 256**width
    packed = struct.pack(rng.choice("<>") + code, number)
    start = rng.randrange(max(1, min(len(data), rng.choice([64, 512, len(data) or 1]))))
    return data[:start] + packed + data[start + width :]


def _swap_parts(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(data) + 1) for _ in range(3))
    return data[:a] + data[b:c] + data[a:b] + data[c:]


def _repeat_a_part(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    part = data[start : start + rng.randint(1, 300)]
    return data[:start] + part * rng.randint(2, 50) + data[start:]


def _remove_a_part(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    start = rng.randrange(len(data) + 1)
    return data[:start] + data[start + rng.randint(1, 300) :]


def _take_the_head_of_another(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    length = rng.choice([4, 16, 64, 512])
    return rng.choice(others)[:length] + data[length:]


def _take_the_tail_of_another(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    other = rng.choice(others)
    return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]


def _replace_all(data: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    return rng.choice([b"", b"\0" * 2000, b"%!PS\n", b"[" * 100_000, PICKLE, rng.randbytes(500)])


WAYS: Sequence[Callable[[bytes, Sequence[bytes], Random], bytes]] = (
    _flip_bits,
    _flip_bits_of_the_header,
    _cut,
    _change_a_number,
    _change_a_number,
    _swap_parts,
    _repeat_a_part,
    _remove_a_part,
    _take_the_head_of_another,
    _take_the_tail_of_another,
    _replace_all,
)


def _in_zip(data: bytes, others: Sequence[bytes], rng: Random) -> bytes | None:
    """Damages one member of an archive, and leaves the archive in order."""
    if not zipfile.is_zipfile(io.BytesIO(data)):
        return None
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(changed, "w") as new:
        names = old.namelist()
        pickles = [name for name in names if name.endswith("data.pkl")]
        chosen = rng.choice(pickles if pickles and rng.random() < 0.7 else names)
        for name in names:
            member = old.read(name)
            if name == chosen:
                member = rng.choice(WAYS)(member, [*others, PICKLE], rng)
            new.writestr(name, member)
    return changed.getvalue()


def _in_gzip(data: bytes, others: Sequence[bytes], rng: Random) -> bytes | None:
    if data[:2] != b"\x1f\x8b":
        return None
    return gzip.compress(rng.choice(WAYS)(gzip.decompress(data), others, rng), 1)


def _in_safetensors(data: bytes, others: Sequence[bytes], rng: Random) -> bytes | None:
    """Damages the JSON of a safetensors file, and writes its length anew."""
    length = int.from_bytes(data[:8], "little")
    if len(data) < 8 + length or data[8:9] != b"{":
        return None
    header = json.loads(data[8 : 8 + length])
    if "__metadata__" in header and rng.random() < 0.6:
        name = rng.choice([*header["__metadata__"]])
        header["__metadata__"][name] = mutate_text(header["__metadata__"][name], rng)
        text = json.dumps(header)
    else:
        text = mutate_text(json.dumps(header), rng)
    packed = text.encode("utf-8", "surrogatepass")
    return len(packed).to_bytes(8, "little") + packed + data[8 + length :]


def _change_a_value(text: str, rng: Random) -> str:
    found = [*re.finditer(r"(?<![\w.])-?\d[\d_.e]*", text)]
    if not found:
        return text
    number = rng.choice(found)
    return text[: number.start()] + rng.choice(NUMBERS) + text[number.end() :]


def _change_a_word(text: str, rng: Random) -> str:
    found = [*re.finditer(r"[\w./-]+", text)]
    if not found:
        return text
    word = rng.choice(found)
    return text[: word.start()] + rng.choice([*ODD_TEXT, *NUMBERS]) + text[word.end() :]


def _insert_text(text: str, rng: Random) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + rng.choice(ODD_TEXT) + text[start:]


def _change_a_line(text: str, rng: Random) -> str:
    lines = text.split("\n")
    number = rng.randrange(len(lines))
    key = lines[number].split(":")[0]
    lines[number : number + 1] = rng.choice([[], [lines[number]] * 2, [f"{key}: {CODE}"]])
    return "\n".join(lines)


def _nest(text: str, rng: Random) -> str:
    start = rng.randrange(len(text) + 1)
    return text[:start] + rng.choice("[{") * rng.choice([10, 100_000]) + text[start:]


def _cut_text(text: str, rng: Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


TEXT_WAYS: Sequence[Callable[[str, Random], str]] = (
    _change_a_value,
    _change_a_value,
    _change_a_word,
    _change_a_word,
    _insert_text,
    _change_a_line,
    _change_a_line,
    _nest,
    _cut_text,
)
