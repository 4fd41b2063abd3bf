"""The two models: shapes, rows of different lengths, the hidden state, artists, the zero row."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from lyricgen import ArgumentError, ImprovedSeqModel, VanillaRNN
from lyricgen.models.networks import map_state


def parts(hidden):
    return hidden if isinstance(hidden, tuple) else (hidden,)


def random_batch(rows, steps):
    return torch.randint(0, 101, (rows, steps), generator=torch.Generator().manual_seed(3))


@pytest.mark.parametrize("lengths", [[9, 4, 7, 4, 1], [1, 1, 1, 1, 1], [9, 9, 9, 9, 8], [2, 3, 4, 5, 6]])
@pytest.mark.parametrize("given_state", [False, True])
def test_rows_of_different_lengths_equal_a_packed_sequence(lengths, given_state, tiny_model):
    sequences, lengths = random_batch(5, 9), torch.tensor(lengths)
    state = None
    if given_state:
        state = map_state(lambda part: torch.randn(2, 5, 12), (0, 0) if isinstance(tiny_model, ImprovedSeqModel) else 0)
    packed = pack_padded_sequence(tiny_model.embeddings(sequences), lengths, batch_first=True, enforce_sorted=False)
    outputs, expected_hidden = tiny_model.rnn(packed, state)
    expected = tiny_model.ffnn(pad_packed_sequence(outputs, batch_first=True, total_length=9)[0])
    inside = torch.arange(9) < lengths[:, None]
    expected[inside].square().sum().backward()
    expected_gradients = {
        name: value.grad.clone() for name, value in tiny_model.named_parameters() if value.grad is not None
    }
    tiny_model.zero_grad()

    logits, hidden = tiny_model(sequences, lengths, state)
    logits[inside].square().sum().backward()
    torch.testing.assert_close(logits[inside], expected[inside], rtol=1e-5, atol=1e-5)
    for part, expected_part in zip(parts(hidden), parts(expected_hidden), strict=True):
        torch.testing.assert_close(part, expected_part, rtol=1e-5, atol=1e-5)
    assert "rnn.weight_hh_l1" in expected_gradients
    for name, gradient in expected_gradients.items():
        torch.testing.assert_close(dict(tiny_model.named_parameters())[name].grad, gradient, rtol=1e-4, atol=1e-4)


def test_a_row_of_length_0_keeps_its_state(tiny_model):
    sequences = random_batch(3, 5)
    _, before = tiny_model(sequences, None)
    logits, after = tiny_model(sequences, torch.tensor([0, 5, 2]), before)
    assert logits.shape == (3, 5, 100)
    for part, earlier in zip(parts(after), parts(before), strict=True):
        assert torch.equal(part[:, 0], earlier[:, 0]) and not torch.equal(part[:, 1], earlier[:, 1])
    _, same = tiny_model(sequences, torch.tensor([0, 0, 0]), before)
    assert all(torch.equal(part, earlier) for part, earlier in zip(parts(same), parts(before), strict=True))


def test_reading_in_two_pieces_equals_reading_at_once(tiny_model):
    sequences = random_batch(2, 8)
    whole, end = tiny_model(sequences, torch.tensor([8, 8]))
    first, hidden = tiny_model(sequences[:, :3], torch.tensor([3, 3]))
    second, hidden = tiny_model(sequences[:, 3:], torch.tensor([5, 5]), hidden)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for part, expected in zip(parts(hidden), parts(end), strict=True):
        torch.testing.assert_close(part, expected)


def test_padding_does_not_change_what_a_row_gives(tiny_model):
    short = random_batch(1, 4)
    alone, _ = tiny_model(short, torch.tensor([4]))
    padded = torch.full((2, 9), 100)
    padded[0, :4], padded[1] = short[0], random_batch(1, 9)[0]
    logits, _ = tiny_model(padded, torch.tensor([4, 9]))
    torch.testing.assert_close(logits[0, :4], alone[0])


@pytest.mark.parametrize("lengths", [[6, 1], [-1, 2], [3], [1, 2, 3]])
def test_lengths_that_do_not_fit_are_refused(lengths, tiny_model):
    with pytest.raises(ArgumentError, match="input_sequences_lengths must be 2 numbers from 0 to 5"):
        tiny_model(random_batch(2, 5), torch.tensor(lengths))


def test_no_artist_equals_the_label_of_any_artist_and_artists_differ(tiny_model):
    sequences, lengths = random_batch(2, 6), torch.tensor([6, 4])
    plain, _ = tiny_model(sequences, lengths)
    any_artist, _ = tiny_model(sequences, lengths, None, torch.tensor([2, 2]))
    ann, _ = tiny_model(sequences, lengths, artists=torch.tensor([0, 0]))
    mixed, _ = tiny_model(sequences, lengths, artists=torch.tensor([0, 1]))
    assert tiny_model.any_artist == 2 and torch.equal(plain, any_artist)
    assert not torch.equal(ann, plain)
    assert torch.equal(mixed[0], ann[0]) and not torch.equal(mixed[1], ann[1])


def test_artists_for_a_model_without_any_are_refused():
    with pytest.raises(ArgumentError, match="this model was made without artists"):
        VanillaRNN(hidden_size=4)(random_batch(1, 3), None, artists=torch.tensor([0]))


def test_the_zero_rows_stay_zero_through_training(tiny_model):
    optimizer = torch.optim.AdamW(tiny_model.parameters(), lr=0.1)
    for _ in range(3):
        logits, _ = tiny_model(torch.tensor([[100, 5, 100, 7]]), torch.tensor([4]), artists=torch.tensor([2]))
        optimizer.zero_grad()
        logits.square().sum().backward()
        optimizer.step()
    assert not tiny_model.embeddings.weight[100].any() and not tiny_model.artist_embeddings.weight[2].any()
    assert tiny_model.embeddings.weight[5].any()


def test_config_builds_the_same_shape(tiny_model):
    again = type(tiny_model)(**tiny_model.config)
    assert {name: value.shape for name, value in again.named_parameters()} == {
        name: value.shape for name, value in tiny_model.named_parameters()
    }


def test_lstm_cells_remember_at_first():
    model = ImprovedSeqModel(hidden_size=4)
    assert (model.rnn.bias_ih_l0[4:8] == 1).all() and (model.rnn.bias_ih_l1[4:8] == 1).all()


def test_dropout_acts_in_training_only():
    model = VanillaRNN(hidden_size=16, dropout=0.5)
    sequences = random_batch(1, 5)
    assert not torch.equal(model(sequences, None)[0], model(sequences, None)[0])
    model.eval()
    assert torch.equal(model(sequences, None)[0], model(sequences, None)[0])
