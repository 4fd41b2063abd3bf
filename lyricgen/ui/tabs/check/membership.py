"""The answer to 'Has it read this?': bits of both models, and the verdict where thresholds apply; `/membership`."""

import html

from lyricgen.analysis.membership import Membership

EXPLANATION = """
A model finds a text that it has read easier than others. So we compare how hard it is for the LSTM and for the simple RNN, which
remembers less, and whether even its least expected letters are easy (membership inference).
"""


def membership_html(measured: Membership) -> str:
    """The verdict, and how hard each letter was for both models, as bars; escaped."""
    verdict = {True: "<b>Probably yes.</b> ", False: "<b>Probably not.</b> ", None: "<b>No verdict.</b> "}[
        measured.read
    ]
    bits = {
        "network": ("LSTM", measured.bits_per_character),
        "simple": ("simple RNN", measured.reference_bits_per_character),
    }
    largest = max(value for _, value in bits.values()) or 1.0
    rows = "".join(
        f'<li><span class="name">{name}</span><span class="pair"><span class="track" aria-hidden="true">'
        f'<i class="{kind}" style="width:{100 * value / largest:.0f}%"></i></span>'
        f'<span class="share">{value:.2f}</span></span></li>'
        for kind, (name, value) in bits.items()
    )
    notes = "".join(f'<p class="soft">{html.escape(note)}</p>' for note in measured.notes)
    return (
        f'<p class="verdict">{verdict}{html.escape(measured.verdict)}</p><ol class="posterior">{rows}</ol>'
        f'<p class="soft">Surprise in bits a letter, over {measured.characters:,} letters.</p>{notes}'
    )
