"""The look of the page: theme, style sheets, scripts, the head's tags and the icon."""

import html
import os
import re
from functools import cache
from typing import Any

import gradio as gr

from lyricgen.hub.spaces import picture_address, space_address
from lyricgen.ui.components import STATIC, static, word_scripts

TITLE = "lyricgen: watch a small neural network write a song"
DESCRIPTION = (
    "Two small neural networks write songs one letter at a time. See every probability, what they remember, what they copy, "
    "and what word vectors know of words."
)


def launch_look() -> dict[str, Any]:
    """The arguments of `demo.launch` on the page's look."""
    return {
        "theme": theme(),
        "css_paths": sorted(STATIC.glob("*.css")),
        "head": head(),
        "favicon_path": STATIC / "favicon.svg",
    }


def theme() -> gr.themes.Base:
    """Light and dark colours with enough contrast; fonts of the system, so that nothing is fetched from a font server."""
    return gr.themes.Soft(
        primary_hue="indigo",
        secondary_hue="indigo",
        neutral_hue="slate",
        font=["system-ui", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    ).set(
        body_background_fill="#faf9f6",
        body_background_fill_dark="#12151c",
        body_text_color="#1c2330",
        body_text_color_dark="#eef1f6",
        body_text_color_subdued="#5b6472",
        body_text_color_subdued_dark="#aab3c2",
        background_fill_primary_dark="#1b202a",
        background_fill_secondary_dark="#12151c",
        block_background_fill_dark="#1b202a",
        block_border_color="#dcdfe5",
        block_border_color_dark="#333b49",
        border_color_primary="#dcdfe5",
        border_color_primary_dark="#333b49",
        input_background_fill_dark="#1b202a",
        input_border_width="1px",
        input_border_color="#dcdfe5",
        input_border_color_dark="#333b49",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        block_info_text_size="*text_md",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_title_background_fill="transparent",
        block_title_background_fill_dark="transparent",
        block_title_padding="0",
        block_title_text_color="*neutral_900",
        block_title_text_color_dark="*neutral_100",
        block_title_text_weight="600",
        block_label_text_color="*neutral_800",
        block_label_text_color_dark="*neutral_100",
        block_border_width="1px",
        block_border_width_dark="1px",
        block_shadow="none",
        block_shadow_dark="none",
        button_primary_background_fill="#4338ca",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="#a5b4fc",
        button_primary_background_fill_hover_dark="*primary_200",
        button_primary_text_color="#ffffff",
        button_primary_text_color_hover="#ffffff",
        button_primary_text_color_dark="#12151c",
        button_primary_text_color_hover_dark="#12151c",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="#1b202a",
        button_secondary_background_fill_hover_dark="*neutral_700",
        button_secondary_border_color="#dcdfe5",
        button_secondary_border_color_dark="#333b49",
        button_secondary_text_color="#1c2330",
        button_secondary_text_color_dark="#eef1f6",
        button_border_width="1px",
        button_primary_shadow="none",
        button_primary_shadow_hover="none",
        button_secondary_shadow="none",
        button_secondary_shadow_hover="none",
        checkbox_label_background_fill_selected="*primary_700",
        checkbox_label_background_fill_selected_dark="*primary_600",
        slider_color="#4338ca",
        slider_color_dark="#a5b4fc",
        color_accent="#4338ca",
        link_text_color="*primary_700",
        link_text_color_visited="*primary_700",
        link_text_color_dark="*primary_300",
        link_text_color_visited_dark="*primary_300",
    )


@cache
def head() -> str:
    """Tags of the page's head, for search engines and social cards, and the page's script."""
    tags = {
        "description": DESCRIPTION,
        "og:title": TITLE,
        "og:description": DESCRIPTION,
        "og:type": "website",
        "twitter:card": "summary",
    }
    if space := current_space():
        tags |= {
            "og:url": space_address(space),
            "og:image": picture_address(space),
            "twitter:card": "summary_large_image",
        }
    lines = [
        f'<meta {"property" if name.startswith("og:") else "name"}="{name}" content="{html.escape(content)}">'
        for name, content in tags.items()
    ]
    return "\n".join([*lines, "<script>", static("page.js"), word_scripts(), space_script(), "</script>"])


def space_script() -> str:
    """On a Space, its public address, which links have where the page is in a frame."""
    space = current_space()
    return f'window.lyricgenSpace = "{space_address(space)}";' if space else ""


def current_space() -> str:
    """The Space that this is, as 'USER/NAME'; '' elsewhere."""
    space = os.environ.get("SPACE_ID", "")
    return space if re.fullmatch(r"[\w.-]+/[\w.-]+", space) else ""
