"""One text for the tabs that look at a text."""

import gradio as gr

from lyricgen.ui.shared_text import SharedText


def test_a_lyric_fills_every_box_and_names_its_artist():
    shared = SharedText()
    with gr.Blocks():
        shared.add_box("one", "an example", ["Ann <b>"])
        shared.add_box("two", "another example")
    source, text, artist, other_source, other_text = shared.updates("the sea", "Ann <b>")
    assert (text, artist, other_text) == ("the sea", "Ann <b>", "the sea")
    assert source == other_source and "Your song" in source and "<b>" not in source
    assert "style" not in shared.updates("the sea", "any artist")[0]


def test_a_typed_text_is_copied_to_the_other_boxes_in_the_browser():
    shared = SharedText()
    with gr.Blocks() as demo:
        boxes = [shared.add_box(name, "an example") for name in ("one", "two", "three")]
        shared.connect()
    events = list(demo.fns.values())
    assert len(events) == 3 and all(event.fn is None for event in events)
    for box, event in zip(boxes, events, strict=True):
        assert event.inputs == [box.text, box.source]
        assert event.outputs == [other.text for other in boxes if other is not box] + [other.source for other in boxes]
