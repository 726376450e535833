"""A file's bytes and text: unpacked, decoded, with the row of a bad byte in the message."""

import codecs
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, TextIO

from prefillroute.errors import UserError

GZIP = b"\x1f\x8b"
BOMS = (  # UTF-32's little-endian mark begins with UTF-16's
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FOREIGN = {
    b"PK\x03\x04": "a zip archive or an Excel workbook",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"BZh": "packed with bzip2",
    b"\xfd7zXZ": "packed with xz",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
}
"""How files begin that people take for a table."""
BLOCK = 1 << 16


class NoRecordsError(UserError):
    """A file that holds no table of records, or an empty one; in a folder the others are read without it."""


def quiet(size: int) -> None:
    """Progress that nobody looks at."""


@dataclass
class Source:
    """A file to be read once."""

    file: Path
    encoding: str | None = None
    """Of a file without a byte order mark; null is UTF-8."""
    option: str = ""
    """How a user names the encoding (`--encoding `, `benchmark.encoding=`), for messages; empty: not at all."""
    advance: Callable[[int], None] = field(default=quiet)
    """Told how many more bytes of the file were read."""
    is_packed: bool = False
    """Known once the file is open."""
    _raw: BinaryIO | None = None
    _told: int = 0

    def __post_init__(self) -> None:
        if self.encoding is not None:
            check_encoding(self.encoding, self.option)

    @contextmanager
    def bytes(self) -> Iterator[BinaryIO]:
        """The unpacked bytes; a file is gzipped when it begins so, whatever its name.

        Raises:
            UserError: while it is open, for a gzip file that is damaged.
        """
        with self.file.open("rb") as raw:
            self._raw = raw
            self.is_packed = raw.peek(2)[:2] == GZIP
            try:
                if self.is_packed:
                    with gzip.open(raw) as unpacked:
                        yield io.BufferedReader(unpacked)
                else:
                    yield raw
            except (EOFError, gzip.BadGzipFile, zlib.error) as error:
                reason = " ".join(str(error).split())
                raise UserError(
                    f"{self.file}: expected a whole gzip file, found a damaged one ({reason}); pack or copy it again"
                ) from error
            self.progress()
            self._raw = None

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """The decoded text, line ends as they are. A byte order mark decides the encoding and is left out.

        Raises:
            UserError: while it is open, for bytes that the encoding does not have, naming the line.
        """
        with self.bytes() as stream:
            head = stream.peek(BLOCK)  # type: ignore[attr-defined]
            foreign = next((what for magic, what in FOREIGN.items() if head.startswith(magic)), None)
            if foreign:
                raise NoRecordsError(
                    f"{self.file}: expected text, found {foreign}; unpack it, or save the sheet as CSV (UTF-8)"
                )
            marked = next((name for mark, name in BOMS if head.startswith(mark)), None)
            encoding = marked or self.encoding or "utf-8"
            if encoding == "utf-8" and (wide := _without_mark(head)):
                how = f" or {self.option}{wide}" if self.option else ""
                raise UserError(
                    f"{self.file}: expected UTF-8{how}, found what looks like UTF-16 without a byte order mark"
                )
            # Not closed here: it would close the stream below it first.
            text = io.TextIOWrapper(stream, encoding, newline="")
            try:
                yield text
            except UnicodeError as error:
                raise UserError(self._bad_byte(encoding)) from error
            finally:
                text.detach()

    def progress(self) -> None:
        """Tell how far the file has been read."""
        if self._raw is not None and not self._raw.closed:
            position = self._raw.tell()
            self.advance(position - self._told)
            self._told = position

    def _bad_byte(self, encoding: str) -> str:
        """Read again up to the bad byte and say where it is."""
        name = encoding.removesuffix("-sig").upper()
        decoder = codecs.getincrementaldecoder(encoding)()
        line = 1
        with Source(self.file).bytes() as stream:
            while True:
                block = stream.read(BLOCK)
                try:
                    line += decoder.decode(block, final=not block).count("\n")
                except UnicodeDecodeError as error:
                    line += error.object[: error.start].decode(encoding, "ignore").count("\n")
                    place, found = f"line {line}: ", f"byte 0x{error.object[error.start]:02x}"
                    break
                except UnicodeError as error:  # UTF-16 in two byte orders and the like
                    place, found = f"line {line}: ", f"something else ({error})"
                    break
                if not block:
                    place, found = "", "something else"
                    break
        other = "utf-8" if encoding == "cp1252" else "cp1252"
        hint = f"; another encoding: {self.option}{other}" if self.option else ""
        return f"{self.file}: {place}expected {name}, found {found}{hint}"


def check_encoding(name: str, option: str) -> None:
    """Refuse a name that is no encoding of text.

    Raises:
        UserError: naming the option.
    """
    try:
        "".encode(name)  # refuses codecs such as hex and zip as well
    except (LookupError, ValueError) as error:
        raise UserError(
            f"{option.rstrip(' =')}: expected an encoding, for instance utf-8, utf-16, cp1252 or latin-1, found {name}"
        ) from error


def _without_mark(head: bytes) -> str | None:
    """Which UTF-16 it is where every other byte of the start is zero, as for Latin letters."""
    even, odd = head[:BLOCK:2], head[1:BLOCK:2]
    if len(odd) >= 4 and odd.count(0) > len(odd) // 2 and not even.count(0):
        return "utf-16-le"
    if len(odd) >= 4 and even.count(0) > len(even) // 2 and not odd.count(0):
        return "utf-16-be"
    return None
