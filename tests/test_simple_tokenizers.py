"""Characters, words and WordPiece keep what every tokenizer promises, and know what they do not know."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_utils.tokenizers import TextStream
from course_utils.tokenizers.wordpiece import WordPieceTokenizer
from course_utils.tokenizers.words import UNKNOWN, CharacterTokenizer, WordTokenizer

TEXT = "To be, or not to be: that is the question.\n\n'Tis 42 times  nobler — 猫 é 😀 not to ask."
SIMPLE = [CharacterTokenizer.train(TEXT), WordTokenizer.train(TEXT, vocabulary_size=1000)]
ALL = [*SIMPLE, WordPieceTokenizer.minilm()]


@pytest.mark.parametrize("tokenizer", SIMPLE, ids=repr)
def test_a_text_of_known_pieces_comes_back_whole(tokenizer):
    ids = tokenizer.encode(TEXT)
    assert tokenizer.decode(ids) == TEXT
    assert tokenizer.unknown not in ids
    assert max(ids) < len(tokenizer)


@pytest.mark.parametrize("tokenizer", SIMPLE, ids=repr)
@given(text=st.text(max_size=50))
def test_unknown_pieces_are_one_token_each(tokenizer, text):
    pieces = list(tokenizer.split(text))
    assert "".join(pieces) == text
    ids = tokenizer.encode(text)
    assert len(ids) == len(pieces)
    known = set(tokenizer.tokens[1:])
    assert tokenizer.decode(ids) == "".join(piece if piece in known else UNKNOWN for piece in pieces)


@pytest.mark.parametrize("tokenizer", ALL, ids=repr)
def test_a_stream_of_tokens_is_the_decoded_text(tokenizer):
    ids = tokenizer.encode(TEXT)
    stream = TextStream(tokenizer)
    streamed = "".join(map(stream.push, ids)) + stream.finish()
    assert streamed.removeprefix(" ") == tokenizer.decode(ids)


@pytest.mark.parametrize("tokenizer", ALL, ids=repr)
def test_wrong_input_is_refused_in_a_sentence(tokenizer):
    with pytest.raises(TypeError, match="text must be a string to encode, not int"):
        tokenizer.encode(7)
    for token in (-1, len(tokenizer)):
        with pytest.raises(ValueError, match=f"token id {token} is not in this vocabulary"):
            tokenizer.decode([token])
    with pytest.raises(TypeError, match="a token id is a whole number, not 'a'"):
        tokenizer.token_bytes("a")
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == ""


def test_half_a_character_is_unknown_and_breaks_nothing():
    assert all(tokenizer.encode("\ud83d") for tokenizer in SIMPLE)
    assert CharacterTokenizer.train("a\ud83d").decode([1, 2]) == "a?"


def test_the_most_frequent_words_are_kept():
    tokenizer = WordTokenizer.train("a b b c c c d d d d", vocabulary_size=4)
    assert tokenizer.tokens == [UNKNOWN, " d", " c", " b"]
    with pytest.raises(ValueError, match="vocabulary_size=1 must be at least 2"):
        WordTokenizer.train("a", vocabulary_size=1)


def test_a_vocabulary_with_one_piece_twice_is_refused():
    with pytest.raises(ValueError, match="one piece twice"):
        CharacterTokenizer("aba")


def test_a_wordpiece_sentence_is_cut_to_length():
    tokenizer = WordPieceTokenizer.minilm()
    ids = tokenizer.encode_sentence("word " * 600)
    assert len(ids) == 256 and (ids[0], ids[-1]) == (tokenizer.begin, tokenizer.end) == (101, 102)
    with pytest.raises(ValueError, match="max_tokens=1 must be at least 2"):
        tokenizer.encode_sentence("a", max_tokens=1)
    with pytest.raises(ValueError, match=r"lacks \[CLS\], \[PAD\]"):
        WordPieceTokenizer(["[UNK]", "[SEP]"])
