"""The Space's entry, and the local launch: `python app.py`."""

import logging
import os

import torch

from lyricgen.resources import Resources
from lyricgen.ui import build_demo, launch_settings

logging.basicConfig(level=logging.WARNING, format="%(message)s")
torch.set_num_threads(1)  # a request a core: threads of two requests would wait for each other

more_vectors = [name.strip() for name in os.environ.get("LYRICGEN_VECTORS", "").split(",") if name.strip()]
resources = Resources(os.environ.get("LYRICGEN_MODELS"), vectors=more_vectors)
demo = build_demo(resources)

if __name__ == "__main__":
    demo.launch(**launch_settings())
