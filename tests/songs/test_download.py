"""The download of the course's songs, from a small server in this process."""

import hashlib
import http.server
import socket
import threading

import pytest

from lyricgen import DataError, download_songdata
from lyricgen.songs import download as songdata
from lyricgen.storage import cache_folder

CONTENT = {
    "songdata_train.csv": b"Artist,Lyric\nAnn,hello there\n" * 9000,
    "songdata_val.csv": b"Artist,Lyric\nAnn,hi\n",
}


class Server(http.server.ThreadingHTTPServer):
    """Serves CONTENT; `fault` says how `songdata_val.csv` goes wrong."""

    fault = ""

    def __init__(self):
        self.asked = []
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/student"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.rsplit("/", 1)[-1]
        self.server.asked.append(self.path)
        body, fault = CONTENT[name], self.server.fault if name == "songdata_val.csv" else ""
        if fault == "404":
            self.send_error(404)
        elif fault == "no http":
            self.wfile.write(b"garbage\r\n\r\n")
        elif fault == "chunk cut":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nAr")
        else:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write({"cut": body[:-5], "other bytes": body.replace(b"hi", b"ho")}.get(fault, body))

    def log_message(self, *arguments):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(songdata, "SHA256", {name: hashlib.sha256(body).hexdigest() for name, body in CONTENT.items()})
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_both_files_are_fetched_once(server, tmp_path):
    folder = download_songdata(tmp_path / "deep/songs", server.url)
    assert folder == tmp_path / "deep/songs" and files(folder) == CONTENT
    assert server.asked == ["/student/songdata_train.csv", "/student/songdata_val.csv"]
    download_songdata(folder, server.url)
    assert len(server.asked) == 2


def test_a_file_that_is_not_the_published_one_is_fetched_again(server, tmp_path):
    (tmp_path / "songdata_train.csv").write_bytes(b"old")
    (tmp_path / "songdata_val.csv").write_bytes(CONTENT["songdata_val.csv"])
    download_songdata(tmp_path, server.url)
    assert files(tmp_path) == CONTENT and server.asked == ["/student/songdata_train.csv"]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("other bytes", "songdata_val.csv is not the published file"),
        ("cut", "songdata_val.csv"),
        ("404", "songdata_val.csv could not be downloaded (Not Found)"),
        ("no http", "songdata_val.csv could not be downloaded"),
        ("chunk cut", "songdata_val.csv could not be downloaded"),
    ],
)
def test_a_failed_download_gives_one_sentence_and_leaves_no_partial_file(fault, expected, server, tmp_path):
    server.fault = fault
    with pytest.raises(DataError) as error:
        download_songdata(tmp_path, server.url)
    assert expected in str(error.value) and "--data" in str(error.value) and str(error.value).isprintable()
    assert list(files(tmp_path)) == ["songdata_train.csv"]
    server.fault = ""
    download_songdata(tmp_path, server.url)
    assert files(tmp_path) == CONTENT and len(server.asked) == 3


def test_a_failed_download_keeps_the_file_that_was_there(server, tmp_path):
    server.fault = "404"
    (tmp_path / "songdata_val.csv").write_bytes(b"my own")
    with pytest.raises(DataError):
        download_songdata(tmp_path, server.url)
    assert files(tmp_path)["songdata_val.csv"] == b"my own"


@pytest.mark.parametrize("url", ["refused", "no url", "http://[", ""])
def test_an_address_that_does_not_answer_gives_one_sentence(url, tmp_path, monkeypatch):
    if url == "refused":
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("LYRICGEN_SONGDATA_URL", url or "no url")
    with pytest.raises(DataError, match="could not be downloaded"):
        download_songdata(tmp_path)
    assert files(tmp_path) == {}


def test_the_folder_and_the_address_come_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("LYRICGEN_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("LYRICGEN_SONGDATA_URL", server.url)
    assert download_songdata() == tmp_path / "cache/songdata" and files(tmp_path / "cache/songdata") == CONTENT
    monkeypatch.delenv("LYRICGEN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg/lyricgen"


def test_a_folder_for_downloads_that_cannot_be_made_gives_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(
        DataError, match=r"cannot be made \(Not a directory\); set LYRICGEN_CACHE, or name your own copy"
    ):
        download_songdata(tmp_path / "file/songdata")
