"""Saliency: how much each earlier character of a text influences a model's prediction of one character.

The influence of a character is the Euclidean norm of the gradient of the predicted character's log-probability (nats) with
respect to the earlier character's embedding, as in Andreas Madsen's "Visualizing memorization in RNNs" (Distill, 2019,
doi:10.23915/distill.00016). It says what a small change would change, and so how far back the model's memory reaches.

Shapes: P characters before the predicted one, H units of an embedding; B windows of a corpus.
"""

import math
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from lyricgen.analysis.scoring import check_scored, embed_song, model_name
from lyricgen.display import one_line, paragraph, quoted, shaded_text
from lyricgen.errors import ArgumentError
from lyricgen.models.loading import resolve_model
from lyricgen.models.networks import CharacterModel, in_eval_mode
from lyricgen.models.text import check_artist, read_labels
from lyricgen.models.vocabulary import OOV_LABEL, START_LABEL
from lyricgen.validation import check_integer, counted, short_repr

_WITHOUT_CUDNN = threading.Lock()  # whether cuDNN is used is one setting for all threads
REACH_SHARE = 0.9  # share of the influence that `Saliency.reach` counts


@dataclass(frozen=True, eq=False)
class Saliency:
    """The influence of each earlier character on the prediction of one."""

    text: str
    position: int
    """Of the predicted character."""
    model: str
    artist: str | None
    bits: float
    """Surprisal of the predicted character."""
    influence: np.ndarray
    """float64 (P,): of each character before it, in nats per unit of the embedding."""
    start_influence: float
    """That of label 100, which opens the text."""

    def __repr__(self) -> str:
        return one_line(
            self,
            f"{self.text[self.position]!r} after {quoted(self.text[: self.position])}",
            self.model,
            f"reach {self.reach}",
        )

    def _repr_html_(self) -> str:
        """The characters before the predicted one, the darker the greater their influence."""
        shares = np.sqrt(self.influence / (self.influence.max(initial=0.0) or 1.0))  # so that faint ones show
        pieces = [
            (character, f"background:rgba(99,102,241,{share:.2f})", f"{influence:.3g}")
            for character, share, influence in zip(self.text, shares.tolist(), self.influence.tolist(), strict=False)
        ]
        title = f"{self.model}: 90 % of the influence comes from the last {counted(self.reach, 'character')}"
        return paragraph(title) + shaded_text([*pieces, (self.text[self.position], "outline:2px solid", "predicted")])

    @property
    def reach(self) -> int:
        """Smallest number of characters before the predicted one that together hold 90 % of the influence."""
        return reach(self.influence[::-1])

    def to_dict(self) -> dict:
        """The answer of `/saliency`, as plain values."""
        return {
            "model": self.model,
            "artist": self.artist,
            "text": self.text,
            "position": self.position,
            "character": self.text[self.position],
            "bits": self.bits,
            "influence": self.influence.tolist(),
            "start_influence": self.start_influence,
            "reach": self.reach,
        }


def saliency(
    text: str, position: int = -1, *, artist: str | None = None, model: str | Path | CharacterModel = "lstm"
) -> Saliency:
    """The influence of each character before a position on the model's prediction of the character there.

    Args:
        text: as for `lyricgen.score`; only the characters up to the position are read.
        position: from 0, in the text as it is read: CRLF is one character, and characters of no width are left out; -1: the last
            character.
        artist: as for `lyricgen.score`.
        model: as for `lyricgen.score`.

    Raises:
        ArgumentError: as `lyricgen.score`; or the position is out of range, or its character is outside the vocabulary.
        ModelError: there is no such model, or its files are damaged.
    """
    network = resolve_model(model)
    text, artist = check_scored(text), check_artist(artist, network)
    position = check_integer("position", position, -1, len(text) - 1)
    position = len(text) - 1 if position == -1 else position
    *before, target = read_labels(text[: position + 1], network.line_breaks)
    if target == OOV_LABEL:
        raise ArgumentError(
            f"position must be that of a character of the vocabulary (string.printable); {position} is {short_repr(text[position])}"
        )
    embedded = embed_song(before, artist, network)  # (1, P + 1, H)
    log_probs, norms = _gradient_norms(embedded, torch.tensor([target], device=embedded.device), network)
    return Saliency(
        text=text,
        position=position,
        model=model_name(model),
        artist=artist,
        bits=-float(log_probs[0]) / math.log(2),
        influence=norms[0, 1:],
        start_influence=float(norms[0, 0]),
    )


def influence_by_distance(windows: np.ndarray, model: CharacterModel) -> np.ndarray:
    """The mean share of the influence on the last character of windows, by the distance of the earlier character.

    Args:
        windows: labels of B stretches of songs of the same length, int (B, P + 1); each is read as the beginning of a song by
            any artist.
        model: the model.

    Returns:
        float64 (P,): the share of the characters at the distances 1, 2, ..., P; it adds up to 1.
    """
    device = next(model.parameters()).device
    labels = torch.from_numpy(windows.astype(np.int64)).to(device)
    starts = torch.full_like(labels[:, :1], START_LABEL)
    with torch.no_grad():
        embedded = model.embed(torch.cat([starts, labels[:, :-1]], dim=1))  # (B, P + 1, H)
    _, norms = _gradient_norms(embedded, labels[:, -1], model)
    influence = norms[:, :0:-1]  # (B, P), the nearest first
    shares = influence / np.maximum(influence.sum(axis=1, keepdims=True), 1e-30)
    return shares.mean(axis=0)


def reach(influence: np.ndarray, share: float = REACH_SHARE) -> int:
    """Smallest number of characters that together hold a share of the influence; `influence` has the nearest first.

    >>> reach(np.array([6.0, 3.0, 1.0])), reach(np.array([]))
    (2, 0)
    """
    total = float(influence.sum())
    if total <= 0:
        return 0
    return int(np.argmax(np.cumsum(influence) >= share * total - 1e-12)) + 1


def _gradient_norms(
    embedded: torch.Tensor, targets: torch.Tensor, model: CharacterModel
) -> tuple[np.ndarray, np.ndarray]:
    """Log-probability of each row's target after its last input (B,), and the norms of its gradient, float64 (B, P + 1)."""
    with _WITHOUT_CUDNN, torch.inference_mode(False), torch.enable_grad(), torch.backends.cudnn.flags(enabled=False):
        inputs = embedded.detach().clone().requires_grad_()  # cuDNN has no backward pass in eval mode
        outputs, _ = in_eval_mode(model.rnn)(inputs)
        log_probs = model.ffnn(outputs[:, -1]).log_softmax(-1).gather(1, targets[:, None])[:, 0]
        (gradient,) = torch.autograd.grad(log_probs.sum(), inputs)
    return log_probs.detach().double().cpu().numpy(), gradient.norm(dim=-1).double().cpu().numpy()
