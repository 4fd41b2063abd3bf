"""The terms of the page, each in a sentence."""

import html

GLOSSARY = {
    "Analogy": "A question such as man : king, woman : ? It is solved with word vectors: the step from man to king, taken from woman.",
    "Bits": "How surprised the model is by a letter: 1 bit for a chance of 50 %, 2 bits for 25 %, 3 bits for 12.5 %.",
    "Cosine": "How closely two word vectors point in the same direction: 1 is the same, 0 is unrelated. Distance is 1 minus the cosine.",
    "Character model": "A network that writes letter by letter. Before each letter it gives every one of 100 characters a probability.",
    "LSTM": "A recurrent network with gates that choose what to keep and what to forget, so that it remembers for longer.",
    "Neuron (unit)": "One number inside the network that changes with every letter. Some follow something that has a name, such as line ends.",
    "Particles": "Lines that are written side by side and must keep a form. Those that the model likes least are dropped for copies of others.",
    "PCA": "A flat picture of many dimensions that keeps as much of the differences as two axes can.",
    "RNN": "A recurrent network: it reads one letter, changes its memory, and guesses the next letter from that memory.",
    "Seed (song number)": "The start of the random numbers. The same number and the same settings write the same song.",
    "Temperature": "How daring the choice of letters is. Low: nearly always the most likely letter. High: unlikely ones too.",
    "t-SNE": "A flat picture that keeps the nearest words together; distances between groups mean nothing.",
    "WEAT": "A test whether two groups of words go with two other groups of words more than by chance.",
    "Word vector": "A list of numbers for a word, learnt from the words around it. Words in similar sentences get similar numbers.",
}


def glossary_html() -> str:
    """The terms as a list of definitions."""
    rows = "".join(f"<dt>{html.escape(term)}</dt><dd>{html.escape(meaning)}</dd>" for term, meaning in GLOSSARY.items())
    return f'<dl class="glossary">{rows}</dl>'
