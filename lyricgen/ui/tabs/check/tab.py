"""The tab that checks a text: whom it sounds like, and what of it is copied."""

import gradio as gr

from lyricgen.analysis.attribution import MAX_ATTRIBUTED_LENGTH
from lyricgen.endpoints import inside
from lyricgen.resources import Resources
from lyricgen.ui.shared_text import SharedText
from lyricgen.ui.tabs.check.attribution import create_attribution
from lyricgen.ui.tabs.check.originality import create_originality


def create_check_tab(resources: Resources, shared: SharedText) -> None:
    """Adds the tab's text, one button and two answers."""
    box = shared.add_box("check-text", inside.ORIGINALITY_EXAMPLE, info=f"Up to {MAX_ATTRIBUTED_LENGTH:,} letters.")
    check = gr.Button("Check this text", variant="primary", elem_id="check", elem_classes="runs-on-open")
    with gr.Row():
        with gr.Column(min_width=320):
            create_attribution(resources, check, box)
        with gr.Column(min_width=320):
            create_originality(resources, check, box)
