"""The start of the app where people start it: address, temporary folder, proxies and signals. Free of gradio, whose modules read
the environment when they are imported, so that `app.py` calls this before."""

import gc
import inspect
import logging
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from stat import S_ISLNK
from types import FrameType
from typing import Any

from lyricgen.errors import ArgumentError, os_error_reason
from lyricgen.validation import check_integer, short_repr

SOCKS = ("socks5", "socks5h")
HOST, PORT = "127.0.0.1", 7860  # the defaults
GRADIO_COUNTS = ("GRADIO_NUM_PORTS", "GRADIO_ANALYTICS_MAX_EVENTS", "GRADIO_NUM_WORKERS", "GRADIO_DEBUG")
"""Variables that gradio reads as numbers, without checking them."""
SWITCH_INTERVAL = 0.0001  # seconds for which Python lets a thread run on while others wait, in place of 0.005
log = logging.getLogger("lyricgen")


@contextmanager
def without_type_stubs() -> Iterator[None]:
    """In it, `import gradio` goes without the type stubs that it otherwise writes of each component, out of its parsed source:
    a third of the import's time. Without a source file, which OSError says, there is no stub.
    """

    def no_source(object: Any) -> str:
        raise OSError("no source")

    getfile = inspect.getfile
    inspect.getfile = no_source
    try:
        yield
    finally:
        inspect.getfile = getfile


@dataclass(frozen=True)
class Address:
    """Where the app listens; a port of None is `PORT`, or the next free one."""

    host: str = HOST
    port: int | None = None

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> "Address":
        """The address of GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.

        Raises:
            ArgumentError: they are no name of this machine and no port, or the port is in use.
        """
        host, port = (
            variables.get("GRADIO_SERVER_NAME", "").strip(" []") or HOST,
            variables.get("GRADIO_SERVER_PORT", ""),
        )
        address = cls(host, check_integer("GRADIO_SERVER_PORT", port, 1, 65_535) if port.strip() else None)
        address.check()
        return address

    def check(self) -> None:
        """Binds the address for a moment.

        Raises:
            ArgumentError: it cannot be bound.
        """
        try:
            family, kind, _, _, place = socket.getaddrinfo(self.host, self.port or 0, type=socket.SOCK_STREAM)[0]
        except (OSError, UnicodeError):
            raise ArgumentError(
                f"GRADIO_SERVER_NAME must be a name or an address of this machine, got {short_repr(self.host)}"
            ) from None
        try:
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(place)
        except OSError as error:
            where = f"{self.host}, port {self.port}" if self.port else self.host
            raise ArgumentError(f"the app cannot listen on {where}: {os_error_reason(error)}") from None

    def launch_arguments(self) -> dict[str, Any]:
        """The address as arguments of `demo.launch`."""
        return {"server_name": f"[{self.host}]" if ":" in self.host else self.host, "server_port": self.port}


def prepare() -> Address:
    """Checks the environment, and leaves nothing in it over which gradio would fail.

    Returns:
        where the app is to listen.

    Raises:
        ArgumentError: a variable is not allowed, or no folder for temporary files can be written.
    """
    for name in GRADIO_COUNTS:
        if os.environ.get(name):
            check_integer(name, os.environ[name], 0, 10**6)
    address = Address.of(os.environ)
    for name in ("GRADIO_SERVER_NAME", "GRADIO_SERVER_PORT"):
        os.environ.pop(name, None)
    folder = temporary_folder()
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    choose_matplotlib_folder(folder)
    leave_out_proxies()
    return address


def temporary_folder() -> Path:
    """The folder of gradio's temporary files, made where it is missing: GRADIO_TEMP_DIR, else one of the user's own.

    Raises:
        ArgumentError: it cannot be written, or the default is a folder that another user made or can change.
    """
    wanted, user = os.environ.get("GRADIO_TEMP_DIR"), getattr(os, "getuid", int)()
    try:
        folder = Path(wanted or Path(tempfile.gettempdir(), f"lyricgen-{user}"))
        folder.mkdir(mode=0o777 if wanted else 0o700, parents=True, exist_ok=True)
        if not wanted:
            _check_own(folder, user)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError as error:
        name = "GRADIO_TEMP_DIR" if wanted else "TMPDIR"
        raise ArgumentError(f"{name} must be a folder that can be written: {os_error_reason(error)}") from None


def _check_own(folder: Path, user: int) -> None:
    """Anyone can make a folder of that name in the machine's folder of temporary files, and read what the app writes there.

    Raises:
        ArgumentError: it is a link, of another user, or others can write to it.
    """
    status = folder.lstat()
    if hasattr(os, "getuid") and (S_ISLNK(status.st_mode) or status.st_uid != user or status.st_mode & 0o022):
        raise ArgumentError(
            f"{folder.name} in the machine's folder of temporary files is not this user's alone; "
            "remove it, or set GRADIO_TEMP_DIR to another folder"
        )


def choose_matplotlib_folder(temporary: Path) -> None:
    """Has matplotlib keep its files in the temporary folder where the user's cannot be written; else it warns in three lines."""
    if os.environ.get("MPLCONFIGDIR"):
        return
    try:
        for variable, default in (("XDG_CONFIG_HOME", ".config"), ("XDG_CACHE_HOME", ".cache")):
            folder = Path(os.environ.get(variable) or Path.home() / default, "matplotlib")
            folder.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=folder).close()
    except (OSError, RuntimeError):  # RuntimeError: no home
        os.environ["MPLCONFIGDIR"] = str(temporary / "matplotlib")


def leave_out_proxies() -> None:
    """Takes the proxies out of the environment that no HTTP client here could use: gradio makes clients when it is imported."""
    for name in [name for name in os.environ if name.lower() in ("http_proxy", "https_proxy", "all_proxy")]:
        scheme, separator, _ = os.environ[name].lower().partition("://")
        if not separator or scheme in ("http", "https") or (scheme in SOCKS and find_spec("socksio")):
            continue
        needed = "it needs the package socksio" if scheme in SOCKS else "it must begin with http:// or https://"
        log.warning("the proxy of %s is not used, since %s", name, needed)
        del os.environ[name]


def without_proxies() -> None:
    """No request of this process goes through a proxy from here on: after the start the app asks only itself."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"


def shorten_waits() -> None:
    """Threads of Python wait less for each other: they take turns fifty times as often, since the one that writes lyrics gives up its
    turn at each operation, a dozen a character; and garbage collections, which stop all, look only at what is made from here on."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()
    gc.enable()


def exit_on_signals() -> None:
    """Ctrl-C and SIGTERM end the process at once, with a line."""

    def leave(number: int, _frame: FrameType | None) -> None:
        os.write(2, b"\nThe app has stopped.\n")
        os._exit(128 + number)

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
