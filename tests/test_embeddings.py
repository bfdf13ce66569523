"""Our similarities and means against torch's, counts against Python's, axes against numpy's; then odd input."""

import doctest
from collections import Counter

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from course import embeddings
from course.embeddings import bag_of_words, cosine_similarity, mean_pool, nearest, principal_axes

# Sums are taken in another order than elsewhere, so the last digits may differ: 1e-6 in float32, 1e-12 in float64.
PRECISIONS = pytest.mark.parametrize("dtype, tolerance", [(torch.float32, 1e-6), (torch.float64, 1e-12)])


def random(*shape, dtype=torch.float64, seed=0):
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(seed + sum(shape)))


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(embeddings, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


@PRECISIONS
def test_cosine_similarity_equals_torch(dtype, tolerance):
    a, b = random(3, 7, dtype=dtype), random(5, 7, dtype=dtype)
    expected = F.cosine_similarity(a[:, None], b[None], dim=-1)
    torch.testing.assert_close(cosine_similarity(a, b), expected, atol=tolerance, rtol=0)
    assert cosine_similarity(a, b).dtype == dtype
    torch.testing.assert_close(cosine_similarity(a), cosine_similarity(a, a), atol=0, rtol=0)


def test_length_changes_no_cosine_even_where_squares_would_overflow():
    a, b = random(3, 7, dtype=torch.float32), random(5, 7, dtype=torch.float32)
    for factor in (1e-30, 1e-3, 1e30):
        torch.testing.assert_close(cosine_similarity(factor * a, b), cosine_similarity(a, b), atol=1e-6, rtol=0)


def test_cosines_stay_between_minus_1_and_1_and_a_row_is_like_itself():
    similar = cosine_similarity(random(50, 3, dtype=torch.float32))
    assert similar.abs().max() <= 1
    torch.testing.assert_close(similar.diagonal(), torch.ones(50), atol=1e-6, rtol=0)


def test_a_vector_of_zeros_is_like_nothing():
    a = torch.tensor([[0.0, 0.0], [1.0, 0.0]])
    assert cosine_similarity(a).tolist() == [[0.0, 0.0], [0.0, 1.0]]
    assert nearest(torch.zeros(2), a, 2).similarities.tolist() == [0.0, 0.0]


def test_nearest_sorts_by_cosine_and_not_by_length_or_distance():
    table = torch.tensor([[100.0, 100.0], [0.1, 0.0], [-1.0, 0.0], [1.0, 0.1]])
    found = nearest(torch.tensor([1.0, 0.0]), table, 3)
    assert found.indices.tolist() == [1, 3, 0]
    torch.testing.assert_close(found.similarities, torch.tensor([1.0, 0.9950, 0.7071]), atol=1e-4, rtol=0)


def test_nearest_takes_the_earlier_of_two_equal_rows_and_one_row_is_enough():
    table = torch.tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]])
    assert nearest(torch.tensor([1.0, 1.0]), table * 2.0**7, 2).indices.tolist() == [0, 1]
    assert nearest(torch.tensor([-1.0, 0.0]), table[:1], 1).indices.tolist() == [0]


@PRECISIONS
def test_mean_pool_equals_the_mean_of_each_text_alone(dtype, tolerance):
    hidden, lengths = random(3, 5, 7, dtype=dtype), [5, 2, 1]
    is_token = torch.arange(5) < torch.tensor(lengths)[:, None]
    expected = torch.stack([states[:n].mean(dim=0) for states, n in zip(hidden, lengths, strict=True)])
    torch.testing.assert_close(mean_pool(hidden, is_token), expected, atol=tolerance, rtol=0)
    torch.testing.assert_close(mean_pool(hidden[1], is_token[1]), expected[1], atol=tolerance, rtol=0)  # no batch axis


def test_mean_pool_does_not_hear_what_stands_on_padding():
    hidden = random(2, 3, 4)
    is_token = torch.tensor([[True, True, False], [False, True, True]])  # padded on the right and on the left
    clean = mean_pool(hidden, is_token)
    hidden[0, 2], hidden[1, 0] = torch.nan, torch.inf
    assert torch.equal(mean_pool(hidden, is_token), clean)


def test_a_text_of_padding_alone_gets_zeros():
    pooled = mean_pool(random(2, 3, 4), torch.tensor([[False] * 3, [True] * 3]))
    assert pooled[0].tolist() == [0.0] * 4 and pooled[1].abs().min() > 0


def test_bag_of_words_equals_pythons_counter():
    texts = [text.split() for text in ("the dog bites the man", "the man bites the dog", "a cat", "")]
    vocabulary = sorted({word for words in texts for word in words})
    expected = [[Counter(words)[word] for word in vocabulary] for words in texts]
    assert bag_of_words(texts, vocabulary).tolist() == expected


def test_bag_of_words_loses_order_and_passes_over_unknown_words():
    counts = bag_of_words(
        [["dog", "bites", "man"], ["man", "bites", "dog"], ["yeti", "bites"], []], ["man", "dog", "bites"]
    )
    assert counts.tolist() == [[1, 1, 1], [1, 1, 1], [0, 0, 1], [0, 0, 0]]
    assert bag_of_words([["a"]], []).shape == (1, 0) and bag_of_words([], ["a"]).shape == (0, 1)


@pytest.mark.parametrize("shape", [(30, 5), (4, 20)])
def test_principal_axes_are_the_covariances_eigenvectors_up_to_their_sign(shape):
    vectors = random(*shape)
    expected = torch.from_numpy(np.linalg.eigh(np.cov(vectors.numpy().T)).eigenvectors[:, ::-1][:, :3].T.copy())
    axes = principal_axes(vectors, 3)
    torch.testing.assert_close((axes * expected).sum(dim=-1).abs(), torch.ones(3).double(), atol=1e-10, rtol=0)
    torch.testing.assert_close(axes @ axes.T, torch.eye(3).double(), atol=1e-12, rtol=0)
    assert (axes.gather(-1, axes.abs().argmax(dim=-1, keepdim=True)) > 0).all()


def test_principal_axes_keep_the_largest_share_of_the_variance():
    vectors = random(40, 6) * torch.tensor([5.0, 3.0, 1.0, 1.0, 1.0, 1.0])
    centred = vectors - vectors.mean(dim=0)
    kept = (centred @ principal_axes(vectors, 2).T).square().sum()
    eigenvalues = torch.linalg.eigvalsh(centred.T @ centred)
    torch.testing.assert_close(kept, eigenvalues[-2:].sum(), atol=1e-9, rtol=0)


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda: cosine_similarity(torch.ones(2, 3), torch.ones(2, 4)), ValueError, r"the same d, got \(2, 3\) and \(2, 4\)"),
        (lambda: cosine_similarity(torch.ones(3)), ValueError, r"of shape \(n, d\), got \(3,\)"),
        (lambda: cosine_similarity(torch.ones(2, 3, dtype=torch.int64)), TypeError, "floating point, got torch.int64"),
        (lambda: nearest(torch.ones(1, 3), torch.ones(2, 3)), ValueError, r"one vector, so of shape \(d,\), got \(1, 3\)"),
        (lambda: nearest(torch.ones(3), torch.ones(2, 3)), ValueError, "the table's 2 rows, got 5"),
        (lambda: nearest(torch.ones(3), torch.ones(2, 3), 0), ValueError, "between 1 and"),
        (lambda: mean_pool(torch.ones(2, 3, 4), torch.ones(2, 4).bool()), ValueError, r"got \(2, 3, 4\) and \(2, 4\)"),
        (lambda: mean_pool(torch.ones(3), torch.tensor(True)), ValueError, r"\(..., position, d_model\)"),
        (lambda: mean_pool(torch.ones(2, 3), torch.ones(2)), TypeError, "is_token must be boolean"),
        (lambda: mean_pool(torch.ones(2, 3).long(), torch.ones(2).bool()), TypeError, "hidden_states must be floating point"),
        (lambda: bag_of_words(["the cat"], ["the"]), TypeError, r"got the string 'the cat'. Its split\(\) makes a list"),
        (lambda: bag_of_words([["a"]], ["a", "b", "a"]), ValueError, "'a' stands there twice"),
        (lambda: principal_axes(torch.ones(1, 3)), ValueError, "at least two vectors"),
        (lambda: principal_axes(torch.ones(4, 3), 4), ValueError, "1 to 3 axes, got n_axes=4"),
    ],
)  # fmt: skip
def test_bad_arguments_are_met_with_a_sentence(call, error, message):
    with pytest.raises(error, match=message):
        call()
