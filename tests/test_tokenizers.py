"""The tokenizer by itself; tests/parity/test_tokenizers_parity.py compares it with the reference libraries."""

import json
import shutil
import time
from itertools import islice, pairwise
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import assets
from course_utils.tokenizers import BPETokenizer, TextStream, byte_pair
from course_utils.tokenizers.byte_pair import apply_merges, apply_merges_to_long, byte_alphabet, learn_merges, merge

TEXT = (
    "the cat sat on the mat, the rat sat on the cat; that that is is, 2026, a naïve waiter in a café in 東京 and 京都"
)
TEMPLATE = (
    "{% for message in messages %}{{ '<|start|>' + message['role'] + '\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|start|>assistant\n' }}{% endif %}"
)
any_string = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)  # every valid Unicode string


@pytest.fixture(scope="module")
def gpt2():
    return BPETokenizer.gpt2()


@pytest.fixture
def small():
    return BPETokenizer.train(TEXT, 300)


@pytest.fixture
def chatty():
    tokenizer = BPETokenizer.train(TEXT, 300, special=["<|end|>", "<|start|>"])
    tokenizer.chat_template = TEMPLATE
    return tokenizer


# ---- training


def test_training_repeats_the_published_example():
    assert list(learn_merges("aaabdaaabac"))[:3] == [((64, 64), 4), ((64, 65), 2), ((256, 257), 2)]
    tokenizer = BPETokenizer.train("aaabdaaabac", 259)
    assert [tokenizer.token_bytes(token) for token in (256, 257, 258)] == [b"aa", b"ab", b"aaab"]
    assert tokenizer.encode("aaabdaaabac") == [258, 67, 258, 64, 66]


def plain_training(text, merges_wanted):
    """Training as the definition says, counting everything again for each merge."""
    number = {byte: token for token, byte in enumerate(byte_alphabet())}
    words = [[number[byte] for byte in piece.encode()] for piece in byte_pair.PATTERNS["gpt-2"].findall(text)]
    learned = []
    for new in range(256, 256 + merges_wanted):
        counts = {}
        for word in words:
            for pair in pairwise(word):
                counts[pair] = counts.get(pair, 0) + 1
        if not counts:
            break
        pair = min(counts, key=lambda pair: (-counts[pair], pair))
        learned.append((pair, counts[pair]))
        words = [merge(word, pair, new) for word in words]
    return learned


@given(st.one_of(st.text("ab ", max_size=80), st.text("abcd é", max_size=80), any_string))
def test_incremental_counts_equal_counting_everything_again(text):
    learned = plain_training(text, 30)
    assert list(islice(learn_merges(text), 30)) == learned


def test_training_reports_each_merge_and_keeps_them_in_order():
    seen = []
    tokenizer = BPETokenizer.train(TEXT, 270, on_merge=lambda pair, count: seen.append((pair, count)))
    assert len(seen) == 14
    assert list(tokenizer.merges) == [pair for pair, _ in seen]
    assert list(tokenizer.merges.values()) == list(range(256, 270))
    assert [count for _, count in seen] == sorted((count for _, count in seen), reverse=True)


def test_a_short_text_runs_out_of_pairs():
    assert len(BPETokenizer.train("abc", 1000)) == 258
    assert len(BPETokenizer.train("", 1000)) == 256


def test_control_tokens_come_last_and_the_first_ends_a_text():
    tokenizer = BPETokenizer.train(TEXT, 300, special=["<|end|>", "<|start|>"])
    assert len(tokenizer) == 300
    assert tokenizer.special == {"<|end|>": 298, "<|start|>": 299}
    assert tokenizer.end == 298
    assert BPETokenizer.train(TEXT, 300).end is None


def test_a_control_token_may_be_spelt_like_a_learned_one():
    tokenizer = BPETokenizer.train("the the the", 262, special=["the"])
    assert tokenizer.encode("the") != [tokenizer.special["the"]]
    assert tokenizer.encode("the", special=True) == [tokenizer.special["the"]]


# ---- encoding and decoding


@given(any_string)
@settings(max_examples=500)
def test_decoding_inverts_encoding_on_every_string(gpt2, text):
    assert gpt2.decode(gpt2.encode(text)) == text
    assert gpt2.decode(gpt2.encode(text, special=True)) == text


def test_decoding_inverts_encoding_for_a_trained_tokenizer(small):
    @given(any_string)
    def check(text):
        assert small.decode(small.encode(text)) == text

    check()
    assert small.missing_bytes == b""
    assert len(small.encode(TEXT)) < len(TEXT.encode())


def test_every_byte_has_its_own_token(gpt2):
    assert sorted(gpt2.token_bytes(token)[0] for token in range(256)) == list(range(256))
    assert len(byte_alphabet()) == len(set(byte_alphabet().values())) == 256
    assert all(character.isprintable() and not character.isspace() for character in byte_alphabet().values())


def test_gpt2_known_ids(gpt2):
    assert len(gpt2) == 50_257
    assert gpt2.encode("Hello world") == [15496, 995]
    assert gpt2.end == gpt2.special["<|endoftext|>"] == 50_256
    assert gpt2.encode("") == []
    assert gpt2.decode([]) == ""


def test_control_tokens_are_text_unless_asked_for(gpt2):
    text = "a<|endoftext|>b<|endoftext|>"
    assert gpt2.end not in gpt2.encode(text)
    assert gpt2.encode(text, special=True) == [64, 50256, 65, 50256]
    assert gpt2.decode(gpt2.encode(text)) == gpt2.decode(gpt2.encode(text, special=True)) == text


def test_the_longer_of_two_control_tokens_wins():
    tokenizer = BPETokenizer.train("", 258, special=["<end", "<end>"])
    assert tokenizer.encode("<end><end", special=True) == [257, 256]


@given(st.text("abc", min_size=2, max_size=200), st.text("abc", max_size=300))
def test_the_road_for_long_pieces_gives_the_same_tokens(training, text):
    tokenizer = BPETokenizer.train(training, 290)
    ids = [tokenizer.encode(letter)[0] for letter in text]
    assert apply_merges_to_long(ids, tokenizer.merges) == apply_merges(ids, tokenizer.merges)


def test_a_long_piece_of_a_real_vocabulary_gives_the_same_tokens(gpt2):
    for piece in ("thequickbrownfoxjumpsoverthelazydog" * 30, "a" * 1001, "!?" * 300, " " * 777, "東京特許許可局" * 40):
        ids = [gpt2._byte_ids[byte] for byte in piece.encode()]
        assert gpt2.encode(piece) == apply_merges(ids, gpt2.merges)


@pytest.mark.parametrize("unit", ["a", "qwertyuiopasdfghjklzxcvbnm", "!", " ", "宮"])
def test_a_hundred_thousand_characters_without_a_space_take_no_quadratic_time(gpt2, unit):
    text = (unit * 100_000)[:100_000]
    start = time.process_time()
    ids = gpt2.encode(text)
    assert time.process_time() - start < 3  # about 0.2 s; a quadratic loop takes hours
    assert gpt2.decode(ids) == text


def test_eight_times_the_letters_take_about_eight_times_as_long(gpt2):
    letters = "thequickbrownfoxjumpsoverthelazydog"

    def seconds(size):
        text = (letters * (size // len(letters) + 1))[:size]
        taken = []
        for _ in range(3):
            start = time.process_time()
            gpt2.encode(text)
            taken.append(time.process_time() - start)
        return min(taken)

    assert seconds(400_000) < 20 * seconds(50_000)  # measured 10, n log n gives 9.5; a quadratic loop 64


def test_a_merge_of_a_token_that_is_made_later_is_refused():
    letters = [bytes([byte]) for byte in range(256)]
    with pytest.raises(ValueError, match="out of order"):
        BPETokenizer([*letters, b"abc", b"bc"], [(97, 257), (98, 99)])


def test_remembered_pieces_stay_within_their_bound(small, monkeypatch):
    monkeypatch.setattr(byte_pair, "REMEMBERED_PIECES", 10)
    words = [f"w{letter}{other}" for letter in "abcdef" for other in "abcdef"]
    expected = [BPETokenizer.train(TEXT, 300).encode(word) for word in words]
    assert [small.encode(word) for word in words] == expected
    assert [small.encode(word) for word in words] == expected
    assert 0 < len(small._remembered) <= 10


def test_a_result_can_be_changed_without_harm(small):
    first = small.encode("the")
    kept = list(first)
    first.append(0)
    assert small.encode("the") == kept


def test_ids_may_be_a_tensor(gpt2):
    assert gpt2.decode(torch.tensor([15496, 995])) == "Hello world"


# ---- bad input: one sentence


def one_sentence(caught):
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    return message


@pytest.mark.parametrize("text", ["\ud800", "fine \udfff fine", "a" * 500 + "\udc80", "\ud83d\ude00"])
def test_half_a_character_is_refused(gpt2, text):
    with pytest.raises(ValueError, match="half of a character") as caught:
        gpt2.encode(text)
    one_sentence(caught)
    with pytest.raises(ValueError, match="half of a character"):
        BPETokenizer.train(text, 300)


@pytest.mark.parametrize("token", [-1, 50_257, 10**12])
def test_unknown_ids_are_refused(gpt2, token):
    for refused in (lambda: gpt2.token_bytes(token), lambda: gpt2.decode([1, token])):
        with pytest.raises(ValueError, match=f"{token} .*0 to 50256") as caught:
            refused()
        one_sentence(caught)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda t: t.encode(5),
        lambda t: t.encode(None),
        lambda t: t.encode(b"bytes"),
        lambda t: t.decode([1.5]),
        lambda t: t.decode("text"),
        lambda t: t.decode(7),
        lambda t: BPETokenizer.train(b"bytes", 300),
        lambda t: BPETokenizer.train("text", "many"),
    ],
)
def test_wrong_types_are_refused(small, mistake):
    with pytest.raises(TypeError) as caught:
        mistake(small)
    one_sentence(caught)


@pytest.mark.parametrize(
    "mistake, words",
    [
        (lambda: BPETokenizer.train("text", 255), "at least 256"),
        (lambda: BPETokenizer.train("text", 256, special=["<|end|>"]), "at least 257"),
        (lambda: BPETokenizer.train("text", 300, special=["x"]), "2 letters or more"),
        (lambda: BPETokenizer.train("text", 300, special=["<|end|>", "<|end|>"]), "differ"),
        (lambda: BPETokenizer([b"a"], [], pre="llama"), "gpt-2, smollm"),
        (lambda: BPETokenizer([b"a", b"b"], [(0, 1)]), "makes no token"),
        (lambda: BPETokenizer([b"a", b"aaa", b"aa"], [(0, 0), (2, 0)]), "out of order"),
        (lambda: BPETokenizer([b"a", b"aa"], [(0, 7)]), "merge 0, .* not there"),
        (lambda: BPETokenizer([b"a"], [], end=5), "control token 5"),
        (lambda: BPETokenizer.from_gguf_fields(["a b"], [], [1]), "byte-level"),
        (lambda: BPETokenizer.from_gguf_fields(["a", "b"], ["a b c"], [1, 1]), "byte-level"),
        (lambda: BPETokenizer.from_gguf_fields(["a", "b"], ["a z"], [1, 1]), "byte-level"),
    ],
)
def test_vocabularies_that_make_no_sense_are_refused(mistake, words):
    with pytest.raises(ValueError, match=words) as caught:
        mistake()
    one_sentence(caught)


# ---- files


def same(left, right):
    names = ("tokens", "merges", "special", "end", "pre", "chat_template", "missing_bytes")
    return all(getattr(left, name) == getattr(right, name) for name in names)


def test_save_and_load_give_the_same_tokenizer(tmp_path, chatty, gpt2):
    for number, tokenizer in enumerate((chatty, gpt2, BPETokenizer.train("", 256))):
        path = tmp_path / f"{number}.json"
        tokenizer.save(path)
        loaded = BPETokenizer.load(path)
        assert same(loaded, tokenizer)
        assert loaded.encode(TEXT) == tokenizer.encode(TEXT)
    assert len(list(tmp_path.iterdir())) == 3


def test_loading_a_real_vocabulary_is_quick(tmp_path, gpt2):
    gpt2.save(tmp_path / "gpt2.json")
    seconds = []
    for _ in range(3):
        start = time.process_time()
        BPETokenizer.load(tmp_path / "gpt2.json")
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.45  # processor time, about 0.05 s; three times the target of 0.15 s


def test_a_failed_save_keeps_the_old_file(tmp_path, small, monkeypatch):
    path = tmp_path / "tokenizer.json"
    small.save(path)
    before = path.read_bytes()

    def full_disk(file, text, **settings):
        file.write_bytes(text.encode()[: len(text) // 2])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full_disk)
    with pytest.raises(OSError, match=r"tokenizer\.json was not written: the disk is full; free some space"):
        small.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_damaged_files_are_refused(tmp_path, small):
    path = tmp_path / "tokenizer.json"
    small.save(path)
    whole = path.read_text()
    fields = json.loads(whole)
    damaged = ["", whole[: len(whole) // 2], "[]", "{}", "7", whole.encode().replace(b'"tokens"', b'"\xff"')]
    for key in fields.keys() - {"chat_template"}:
        damaged.append(json.dumps({**fields, key: "x"}))
    damaged.append(json.dumps({**fields, "merges": {"left": [1], "right": []}}))
    damaged.append(json.dumps({**fields, "tokens": fields["tokens"][:-1]}))
    for content in damaged:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with pytest.raises(ValueError, match=r"tokenizer\.json is no tokenizer file") as caught:
            BPETokenizer.load(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError):
        BPETokenizer.load(tmp_path / "nowhere.json")


@pytest.mark.parametrize("damaged", ["encoder.json", "vocab.bpe"])
def test_a_damaged_vocabulary_gets_the_sentence_with_the_cure(tmp_path, monkeypatch, damaged):
    shutil.copytree(assets.path("gpt2-vocabulary"), tmp_path / "gpt2-vocabulary")
    monkeypatch.setenv("COURSE_ASSETS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))
    (file,) = (tmp_path / "gpt2-vocabulary").rglob(damaged)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    cure = f"{damaged} is damaged .its content changed.*python -m course_utils.assets fetch gpt2-vocabulary$"
    with pytest.raises(assets.AssetError, match=cure) as problem:
        BPETokenizer.gpt2()
    assert "\n" not in str(problem.value)


# ---- chats


def test_a_chat_is_rendered_by_its_template(chatty):
    messages = [{"role": "user", "content": "Hello"}]
    assert chatty.render_chat(messages) == "<|start|>user\nHello<|end|>\n<|start|>assistant\n"
    assert chatty.render_chat(messages, add_generation_prompt=False) == "<|start|>user\nHello<|end|>\n"


@given(st.lists(st.tuples(st.sampled_from(["user", "assistant", "system"]), any_string), min_size=1, max_size=3))
def test_ordinary_chats_encode_as_the_rendered_text_does(chats):
    tokenizer = BPETokenizer.train(TEXT, 300, special=["<|end|>", "<|start|>"])
    tokenizer.chat_template = TEMPLATE
    messages = [{"role": role, "content": content} for role, content in chats]
    assert tokenizer.encode_chat(messages) == tokenizer.encode(tokenizer.render_chat(messages), special=True)


hostile = st.lists(
    st.sampled_from(["<|end|>", "<|start|>", "<|", "end", "|>", "<", "\ue000", "\ue001", "\n", "a"]), max_size=8
).map("".join)


@given(st.lists(st.tuples(hostile, hostile), min_size=1, max_size=3))
@settings(max_examples=300)
def test_typed_control_tokens_stay_text_wherever_they_are_typed(chats):
    tokenizer = BPETokenizer.train(TEXT, 300, special=["<|end|>", "<|start|>"])
    tokenizer.chat_template = TEMPLATE
    messages = [{"role": role, "content": content} for role, content in chats]
    ids = tokenizer.encode_chat(messages)
    assert tokenizer.decode(ids) == tokenizer.render_chat(messages)
    control = [token for token in ids if token in tokenizer.special.values()]
    start, end = tokenizer.special["<|start|>"], tokenizer.special["<|end|>"]
    assert control == [start, end] * len(messages) + [start]


def test_overlapping_control_tokens_stay_text():
    tokenizer = BPETokenizer.train("", 259, special=["aba", "ab", "bb"])
    tokenizer.chat_template = "{% for message in messages %}{{ message.content }}{% endfor %}"
    for content in ("ababa", "abb", "abbba", "abababab"):
        ids = tokenizer.encode_chat([{"role": "user", "content": content}])
        assert max(ids) < 256
        assert tokenizer.decode(ids) == content


@pytest.mark.parametrize(
    "messages, words",
    [
        ("Hello", "messages must be a list"),
        (None, "messages must be a list"),
        ({"role": "user", "content": "Hello"}, "messages must be a list"),
        ([], "empty"),
        (["Hello"], r"messages\[0\] must be a dictionary"),
        ([{"role": "user"}], r"messages\[0\] must have a role and a content"),
        ([{"content": "Hello"}], r"messages\[0\] must have a role and a content"),
        (
            [{"role": "user", "content": "a"}, {"role": "user", "content": None}],
            r"messages\[1\]\['content'\] must be a str",
        ),
        ([{"role": 3, "content": "a"}], r"messages\[0\]\['role'\] must be a string"),
        ([{"role": "user", "content": ["a"]}], r"messages\[0\]\['content'\] must be a string"),
    ],
)
def test_bad_messages_are_refused(chatty, messages, words):
    for method in (chatty.render_chat, chatty.encode_chat):
        with pytest.raises((ValueError, TypeError), match=words) as caught:
            method(messages)
        one_sentence(caught)


def test_half_a_character_in_a_chat_is_refused(chatty):
    with pytest.raises(ValueError, match="half of a character"):
        chatty.encode_chat([{"role": "user", "content": "\ud800"}])


def test_a_chat_that_uses_every_private_character_is_refused(chatty):
    every = "".join(map(chr, range(0xE000, 0xF900)))
    with pytest.raises(ValueError, match="private characters"):
        chatty.encode_chat([{"role": "user", "content": every}])
    almost = every[:-1] + "<|end|>"
    assert chatty.encode_chat([{"role": "user", "content": almost}]).count(chatty.end) == 1


@pytest.mark.parametrize(
    "template, words",
    [
        (None, "no chat template"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{% for %}", "refused this chat"),
        ("{{ ''.__class__.__mro__ }}", "refused this chat"),
        ("{{ messages.append(1) }}", "refused this chat"),
    ],
)
def test_a_template_that_fails_gives_one_sentence(chatty, template, words):
    chatty.chat_template = template
    for method in (chatty.render_chat, chatty.encode_chat):
        with pytest.raises(ValueError, match=words) as caught:
            method([{"role": "user", "content": "Hello"}])
        one_sentence(caught)


# ---- streaming


@given(any_string)
def test_a_stream_shows_no_half_character(gpt2, text):
    stream = TextStream(gpt2)
    pieces = [stream.push(token) for token in gpt2.encode(text)]
    assert "".join(pieces) == text
    assert stream.finish() == ""


@given(st.lists(st.integers(0, 50_256), max_size=40))
@settings(max_examples=300)
def test_a_stream_of_any_tokens_ends_up_as_decode_shows_them(gpt2, ids):
    stream = TextStream(gpt2)
    assert "".join(stream.push(token) for token in ids) + stream.finish() == gpt2.decode(ids)


def test_a_character_cut_off_at_the_end_is_shown_as_a_replacement(gpt2):
    stream = TextStream(gpt2)
    first = gpt2.encode("宮")[0]
    assert stream.push(first) == ""
    assert stream.finish() == "\ufffd" == gpt2.decode([first])
