"""The start of the app in environments that people have: what is checked before gradio is imported."""

import gc
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from lyricgen.errors import ArgumentError
from lyricgen.ui import start
from lyricgen.ui.start import Address

ROOT = Path(__file__).parents[2]


@pytest.fixture
def environment(monkeypatch):
    """The environment of this process, restored after the test."""
    for name in ("HTTP_PROXY", "https_proxy", "ALL_PROXY", "NO_PROXY", "no_proxy", "GRADIO_TEMP_DIR"):
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_the_default_address_may_move_on_from_its_port():
    assert Address.of({}) == Address.of({"GRADIO_SERVER_NAME": "", "GRADIO_SERVER_PORT": " "}) == Address()
    assert Address().launch_arguments() == {"server_name": "127.0.0.1", "server_port": None}


@pytest.mark.parametrize("port", ["abc", "99999", "0", "-1", "1.5", "nan"])
def test_a_port_that_cannot_be_is_refused(port):
    with pytest.raises(ArgumentError, match="GRADIO_SERVER_PORT must be a whole number from 1 to 65,535, got"):
        Address.of({"GRADIO_SERVER_PORT": port})


@pytest.mark.parametrize("name", ["no such host", "a..b", "host.invalid"])
def test_a_name_that_does_not_resolve_is_refused(name, monkeypatch):
    def fail(*_, **__):
        raise socket.gaierror(-2, "Name or service not known")

    if name == "host.invalid":  # without asking a name server
        monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(ArgumentError, match="GRADIO_SERVER_NAME must be a name or an address of this machine, got"):
        Address.of({"GRADIO_SERVER_NAME": name})


def test_an_address_of_another_machine_is_refused():
    with pytest.raises(ArgumentError, match="cannot listen on 192.0.2.1: "):
        Address.of({"GRADIO_SERVER_NAME": "192.0.2.1"})


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_port_that_was_asked_for_and_is_busy_is_refused(host):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ArgumentError, match=f"cannot listen on {host}, port {port}: Address already in use"):
            Address.of({"GRADIO_SERVER_NAME": host, "GRADIO_SERVER_PORT": str(port)})


@pytest.mark.parametrize("name", ["::", "[::]"])
def test_an_ipv6_address_reaches_gradio_in_brackets(name, monkeypatch):
    monkeypatch.setattr(Address, "check", lambda self: None)  # not every machine has IPv6
    assert Address.of({"GRADIO_SERVER_NAME": name}).launch_arguments()["server_name"] == "[::]"


@pytest.mark.parametrize("name", ["GRADIO_TEMP_DIR", "TMPDIR"])
def test_a_temporary_folder_that_cannot_be_written_is_refused(name, environment):
    environment.setenv("GRADIO_TEMP_DIR", "/dev/null/tmp" if name == "GRADIO_TEMP_DIR" else "")
    environment.setattr(start.tempfile, "tempdir", "/dev/null/tmp")
    with pytest.raises(ArgumentError, match=f"{name} must be a folder that can be written: Not a directory"):
        start.temporary_folder()


@pytest.mark.parametrize("trap", ["link", "writable by all", "of another user"])
def test_a_temporary_folder_that_another_user_could_have_made_is_refused(trap, environment, tmp_path, monkeypatch):
    environment.setattr(start.tempfile, "gettempdir", lambda: str(tmp_path))
    folder, user = start.temporary_folder(), os.getuid()
    if trap == "link":
        folder.rename(tmp_path / "elsewhere")
        folder.symlink_to(tmp_path / "elsewhere")
    elif trap == "writable by all":
        folder.chmod(0o777)
    else:
        folder.rename(tmp_path / f"lyricgen-{user + 1}")
        monkeypatch.setattr(os, "getuid", lambda: user + 1)
    with pytest.raises(ArgumentError, match="is not this user's alone; remove it, or set GRADIO_TEMP_DIR"):
        start.temporary_folder()


def test_the_temporary_folder_is_the_users_own(environment, tmp_path):
    environment.setattr(start.tempfile, "tempdir", str(tmp_path))
    folder = start.temporary_folder()
    assert folder == start.temporary_folder() and folder.is_dir() and folder.parent == tmp_path


def test_proxies_that_no_client_could_use_are_left_out(environment, caplog):
    environment.setattr(start, "find_spec", lambda name: None)
    environment.setenv("HTTP_PROXY", "http://proxy:8080")
    environment.setenv("https_proxy", "proxy:8080")
    environment.setenv("ALL_PROXY", "socks5://proxy:1080")
    start.leave_out_proxies()
    assert "HTTP_PROXY" in os.environ and "https_proxy" in os.environ and "ALL_PROXY" not in os.environ
    assert caplog.messages == ["the proxy of ALL_PROXY is not used, since it needs the package socksio"]


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("GRADIO_SERVER_PORT", "abc", "GRADIO_SERVER_PORT must be a whole number from 1 to 65,535, got 'abc'"),
        ("GRADIO_NUM_PORTS", "many", "GRADIO_NUM_PORTS must be a whole number from 0 to 1,000,000, got 'many'"),
        ("LYRICGEN_STRONG_WORDS", "no.txt", "the list of strong words 'no.txt' could not be read as UTF-8 text"),
    ],
)
def test_the_app_says_so_in_one_line(variable, value, said):
    command, environment = [sys.executable, "app.py"], {**os.environ, variable: value}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, f"app.py: {said}\n")


def test_threads_wait_less_for_each_other():
    interval, frozen = sys.getswitchinterval(), gc.get_freeze_count()
    made_by_the_start = [[] for _ in range(1_000)]
    gc.disable()
    try:
        start.shorten_waits()
        assert sys.getswitchinterval() == pytest.approx(0.0001)
        assert gc.isenabled() and gc.get_freeze_count() >= frozen + len(made_by_the_start)
    finally:
        sys.setswitchinterval(interval)
        gc.enable()
