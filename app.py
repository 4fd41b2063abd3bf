"""The Space's entry, and the local launch: `python app.py`."""

import argparse
import gc
import logging
import os
import sys
from importlib.util import find_spec

from lyricgen.errors import LyricGenError
from lyricgen.heap import return_freed_memory
from lyricgen.hub.download import Download
from lyricgen.ui.start import PORT, exit_on_signals, prepare, shorten_waits, without_proxies, without_type_stubs


def build_parser() -> argparse.ArgumentParser:
    """The command line; flags default to environment variables, which a Space sets."""
    parser = argparse.ArgumentParser(
        description="The page, on 127.0.0.1:7860, or where GRADIO_SERVER_NAME and GRADIO_SERVER_PORT say."
    )
    # fmt: off
    parser.add_argument("--hub-repo", metavar="USER/NAME", default=os.environ.get("LYRICGEN_HUB_REPO"), help="models on the Hugging Face Hub to run; the bundled ones replace them where it cannot be reached (default: $LYRICGEN_HUB_REPO)")
    parser.add_argument("--revision", metavar="NAME", default=os.environ.get("LYRICGEN_HUB_REVISION") or "main", help="branch, tag or commit of it (default: $LYRICGEN_HUB_REVISION, or main)")
    parser.add_argument("--models", metavar="FOLDER", default=os.environ.get("LYRICGEN_MODELS"), help="your own models, as train.py writes them; they come first (default: $LYRICGEN_MODELS)")
    parser.add_argument("--vectors", metavar="NAMES", default=os.environ.get("LYRICGEN_VECTORS", ""), help="more word vectors, comma-separated: glove-200, or files of your own (default: $LYRICGEN_VECTORS)")
    parser.add_argument("--strong-words", metavar="FILE", default=os.environ.get("LYRICGEN_STRONG_WORDS") or None, help="the words that 'Clean words' keeps out, one a line, in place of the bundled list (default: $LYRICGEN_STRONG_WORDS)")
    # fmt: on
    return parser


logging.basicConfig(level=logging.WARNING, format="%(message)s")
options = build_parser().parse_args(None if __name__ == "__main__" else [])
if find_spec("gradio") is None:
    sys.exit("app.py: the page needs gradio, which is not installed; install lyricgen[app]")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported; for the reason of use_one_thread
gc.disable()  # until the page is built: hardly any of it is garbage, and looking for some takes a tenth of the start
if __name__ == "__main__":
    exit_on_signals()
    return_freed_memory()
    try:
        address = prepare()
    except LyricGenError as error:
        print(f"app.py: {error}", file=sys.stderr)
        sys.exit(2)
hub = Download(options.hub_repo, options.revision) if options.hub_repo else None  # downloads during the imports below

from lyricgen.devices import use_one_thread  # noqa: E402  (before torch, see there)
from lyricgen.resources import Resources  # noqa: E402

with without_type_stubs():
    import gradio  # noqa: F401
from lyricgen.ui.page import build_demo, launch_settings  # noqa: E402

use_one_thread()
more_vectors = [name.strip() for name in options.vectors.split(",") if name.strip()]
try:
    resources = Resources(options.models, vectors=more_vectors, hub=hub, strong_words=options.strong_words)
except LyricGenError as error:
    if __name__ != "__main__":
        raise
    print(f"app.py: {error}", file=sys.stderr)
    sys.exit(2)
demo = build_demo(resources)
shorten_waits()

if __name__ == "__main__":
    without_proxies()
    demo.launch(prevent_thread_lock=True, **address.launch_arguments(), **launch_settings())
    if address.port is None and demo.server_port != PORT:
        print(f"Port {PORT} is in use; the page is at {demo.local_url}", flush=True)
    demo.block_thread()
