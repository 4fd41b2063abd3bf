"""One real app on a real port for all acceptance tests, in a process of its own; --long for their long forms."""

from pathlib import Path

import pytest

from benchmarks.running_app import RunningApp, running_app


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long forms, as `python -m benchmarks soak` runs them")


@pytest.fixture(scope="session")
def size(request):
    """`size(short, long)`: the one of this run."""
    long = request.config.getoption("--long")
    return lambda short, long_form: long_form if long else short


@pytest.fixture(scope="session")
def app_log(tmp_path_factory) -> Path:
    """What the app wrote to its standard error."""
    return tmp_path_factory.mktemp("app") / "log"


@pytest.fixture(scope="session")
def app(app_log) -> RunningApp:
    """The app on the bundled models."""
    with app_log.open("wb") as log, running_app(log=log) as running:
        yield running


@pytest.fixture(scope="session")
def app_url(app) -> str:
    """The address of the app, for the fixtures of the page too."""
    return app.url


@pytest.fixture(autouse=True)
def no_traceback(app_log):
    """Fails a test during which the app logged a traceback or an error that nobody foresaw."""
    before = app_log.stat().st_size if app_log.exists() else 0
    yield
    if app_log.exists():
        said = app_log.read_bytes()[before:].decode(errors="replace")
        assert "Traceback" not in said and "a handler failed" not in said, said
