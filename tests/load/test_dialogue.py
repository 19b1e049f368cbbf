"""Conversations as load: which may serve, and that their turns keep their order."""

import itertools
import json

import pytest

from seatrial.load.dialogue import PLAIN, Dialogue, as_dialogues, read_conversations
from seatrial.load.profile import ProfileError, load_profile, parse_profile, shipped_conversations
from seatrial.load.schedule import plan_schedule

HEAD = 'rate = 20\nduration = "10s"\n'


@pytest.mark.parametrize(
    ("value", "dialogues"),
    [
        (["a", "b"], [(PLAIN, ("a",)), (PLAIN, ("b",))]),
        ([["a", "b"], "c"], [(PLAIN, ("a", "b")), (PLAIN, ("c",))]),
        ({"short": ["a"], "long": [["b", "c"]]}, [("short", ("a",)), ("long", ("b", "c"))]),
    ],
)
def test_prompts_have_classes_and_turns(value, dialogues):
    assert as_dialogues(value) == tuple(Dialogue(prompt_class=name, turns=turns) for name, turns in dialogues)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prompts = 'hi'\n", "p.toml:3: prompts: expected a list of texts, at least one; seen 'hi'"),
        ("prompts = ['hi', 3]\n", "expected a text, or a list of texts that are asked in turn; seen 3"),
        ("prompts = [['hi', '']]\n", "seen ['hi', '']"),
        ("prompts = [[]]\n", "seen []"),
        ("prompts = {}\n", "expected a class with its prompts, seen an empty table"),
        ("prompts = {short = []}\n", "expected a list of texts, at least one under 'short'; seen []"),
        ("conversations = ['nope']\n", "expected an id or tag of a conversation in "),
        ("conversations = ['known-customer']\nprompts = ['a']\n", "either `prompts` or `conversations`, seen both"),
        ("conversations = []\n", "p.toml: prompts: is missing"),
        ("", "p.toml: prompts: is missing"),
    ],
)
def test_mistakes_say_what_was_expected(text, message):
    with pytest.raises(ProfileError) as caught:
        parse_profile(HEAD + text, "p.toml")
    assert message in str(caught.value)


def test_shipped_conversations_are_chosen_by_id_and_tag():
    by_id = parse_profile(HEAD + "conversations = ['opening-hours']\n", "p.toml").prompts
    assert {dialogue.prompt_class for dialogue in by_id} == {"opening-hours"}
    by_tag = parse_profile(HEAD + "conversations = ['orders']\n", "p.toml").prompts
    (order,) = [dialogue for dialogue in by_tag if dialogue.prompt_class == "order-status"]
    assert order.turns[:2] == ("Where is my order?", "It is A-1042.")
    assert len(order.turns) == 3


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('writes = true\n[[turn]]\nsay = "hi"\n', "it says writes = true"),
        ('[[turn]]\nsay = "hi"\n[[setup]]\npath = "/x"\n', "it has requests before or after its turns"),
        (
            '[[turn]]\nsay = "hi"\ncapture.a = "x"\n[[turn]]\nsay = "${a}"\n',
            "turn 2 needs ${a}, which is known only while",
        ),
        ('[[turn]]\nsay = "${unique.a}"\n', "turn 1 needs ${unique.a}"),
    ],
)
def test_what_needs_more_than_its_turns_cannot_serve(tmp_path, more, reason):
    folder = tmp_path / "conversations"
    folder.mkdir()
    (folder / "bad.toml").write_text(f'title = "t"\n{"" if more.startswith("[") else more}tags = ["all"]\n{more}')
    if not more.startswith("["):
        head, _, turns = more.partition("\n")
        (folder / "bad.toml").write_text(f'title = "t"\ntags = ["all"]\n{head}\n{turns}')
    (folder / "good.toml").write_text('title = "t"\ntags = ["all"]\n[values]\nn = "7"\n[[turn]]\nsay = "order ${n}"\n')
    with pytest.raises(Exception, match="bad cannot serve as load: ") as caught:
        read_conversations(folder, ["bad"])
    assert reason in str(caught.value)
    # By its tag it is one among several, and left out.
    assert read_conversations(folder, ["all"]) == {"good": [["order 7"]]}


def test_a_script_comes_once_for_each_row(tmp_path):
    (tmp_path / "c.toml").write_text(
        'title = "t"\n[[row]]\nn = "1"\n[[row]]\nn = "2"\n[[turn]]\nsay = "a ${n}"\n[[turn]]\nsay = "b ${n}"\n'
    )
    assert read_conversations(tmp_path, ["c"]) == {"c": [["a 1", "b 1"], ["a 2", "b 2"]]}


def test_the_repositorys_own_conversations_come_first(tmp_path):
    (tmp_path / "load" / "profiles").mkdir(parents=True)
    (tmp_path / "synthetic" / "conversations").mkdir(parents=True)
    (tmp_path / "load" / "profiles" / "talk.toml").write_text(HEAD + 'conversations = ["mine"]\n')
    (tmp_path / "synthetic" / "conversations" / "mine.toml").write_text('title = "t"\n[[turn]]\nsay = "hello"\n')
    assert load_profile("talk", tmp_path).prompts == (Dialogue(prompt_class="mine", turns=("hello",)),)
    assert shipped_conversations().is_dir()


def test_turns_take_the_slots_of_the_rate_and_keep_their_order(profile):
    talking = profile(rate=20, duration="20s", think="500ms", prompts=[["a", "b", "c"], "d"])
    requests = plan_schedule(talking, ("stable", "candidate"))
    assert len(requests) == 2 * (400 + 10)
    sessions = {}
    for request in requests:
        sessions.setdefault((request.session, request.track), []).append(request)
    for said in sessions.values():
        assert [request.turn for request in said] == list(range(len(said)))
        assert len({request.prompt for request in said}) == 1
        gaps = [later.due - earlier.due for earlier, later in itertools.pairwise(said)]
        # Half a mean gap lies between the members of a pair, whose order changes.
        assert all(gap >= 0.5 - 1 / 20 for gap in gaps)
    assert {request.turn for request in requests} == {0, 1, 2}
    # The two of a pair say the same.
    pairs = {}
    for request in requests:
        pairs.setdefault(request.pair, set()).add((request.session, request.turn, request.prompt))
    assert all(len(said) == 1 for said in pairs.values())


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_is_held_in_order_with_what_was_answered(serve, run, pair_of, stream):
    server = serve(delay=0.1)
    prompts = {"talk": [["one", "two", "three"]]}
    measurement = run(pair_of(server.url), rate=10, duration="3s", prompts=prompts, think="0s", stream=stream)
    lines = [json.loads(line) for line in measurement.path.read_text().splitlines()[1:-1]]
    sessions = {}
    for line in sorted(lines, key=lambda line: line["turn"]):
        sessions.setdefault(line["session"], []).append(line)
    assert {line["prompt_class"] for line in lines} == {"talk"}
    whole = [turns for turns in sessions.values() if len(turns) == 3]
    assert len(whole) >= 5
    for turns in whole:
        for earlier, later in itertools.pairwise(turns):
            assert later["due"] >= earlier["end"]
            assert later["sent"] >= earlier["end"]
    assert not any(line["error"] for line in lines)
    said = "ninenine" if stream else "We open at nine."
    assert ["one", said, "two", said, "three"] in server.seen()["talks"]
    assert measurement.soundness.unsent == 0
