import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.load.profile import ProfileError, load_profile, parse_profile
from seatrial.load.replay import ReplayError, peak_rate, read_offsets
from seatrial.load.schedule import plan_schedule

REPLAY = 'arrival = "replay"\nreplay = "{name}"\nwarm_up = "1s"\nprompts = ["when?"]\n'


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "0\n0.5\n\n2\n"),
        ("a.csv", "who,due\nann,0\nbob,0.5\ncid,2\n"),
        ("a.csv", "\ufeffdue\r\n0\r\n0.5\r\n2\r\n"),
        ("a.ndjson", "0\n0.5\n2.0\n"),
        ("a.jsonl", '{"due": 0, "x": 1}\n\n{"due": 0.5}\n{"due": 2}\n'),
    ],
)
def test_offsets_are_read(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    assert read_offsets(tmp_path / name) == (0.0, 0.5, 2.0)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "0\n", "expected a file named *.csv, *.ndjson or *.jsonl"),
        ("a.csv", "", "expected at least one offset, seen none"),
        ("a.csv", "0\nsoon\n1\n", "a.csv:2: expected seconds from the start, 0 or more; seen 'soon'"),
        ("a.csv", "0\n-1\n", "a.csv:2: expected seconds from the start, 0 or more; seen '-1'"),
        ("a.csv", "0\ninf\n", "a.csv:2: expected seconds from the start, 0 or more; seen 'inf'"),
        ("a.csv", "3\n1\n", "a.csv:2: expected 3 or later, since lines are in order; seen 1"),
        (
            "a.csv",
            "when,who\n1,ann\n",
            "a.csv:1: expected seconds from the start, 0 or more; seen 'when,who, which is no",
        ),
        ("a.csv", "who,due\nann\n", "a.csv:2: expected seconds from the start, 0 or more; seen None"),
        ("a.ndjson", "0\n{broken\n", "a.ndjson:2: expected seconds from the start, 0 or more; seen '{broken'"),
        ("a.ndjson", '{"at": 1}\n', "a.ndjson:1: expected seconds from the start, 0 or more; seen '{\"at\": 1}'"),
        ("a.ndjson", '"1"\n', "a.ndjson:1: expected seconds from the start, 0 or more; seen '\"1\"'"),
        ("a.ndjson", "true\n", "a.ndjson:1: expected seconds from the start, 0 or more; seen True"),
        ("a.csv", "x\n" * 12, "and 2 more bad lines"),
    ],
)
def test_bad_lines_are_named(tmp_path, name, text, message):
    (tmp_path / name).write_text(text)
    with pytest.raises(ReplayError) as caught:
        read_offsets(tmp_path / name)
    assert message in str(caught.value)


def test_a_file_that_is_absent_or_no_text_says_so(tmp_path):
    with pytest.raises(ReplayError, match=r"none\.csv: cannot be read: No such file"):
        read_offsets(tmp_path / "none.csv")
    (tmp_path / "bad.csv").write_bytes(b"0\n\xff\n")
    with pytest.raises(ReplayError, match="expected UTF-8, seen byte 0xff"):
        read_offsets(tmp_path / "bad.csv")


@given(st.text(max_size=200), st.sampled_from(["a.csv", "a.ndjson"]))
def test_anything_is_read_or_refused(tmp_path_factory, text, name):
    path = tmp_path_factory.mktemp("replay") / name
    path.write_bytes(text.encode(errors="replace"))
    try:
        offsets = read_offsets(path)
    except ReplayError:
        return
    assert offsets
    assert list(offsets) == sorted(offsets)
    assert offsets[0] >= 0


@given(st.lists(st.floats(0, 20), min_size=1, max_size=50).map(sorted))
def test_the_peak_is_that_of_the_busiest_second(offsets):
    busiest = max(sum(1 for other in offsets if one - 1.0 < other <= one) for one in offsets)
    assert peak_rate(tuple(offsets)) == busiest


def test_arrivals_are_those_of_the_file(tmp_path):
    (tmp_path / "r.csv").write_text("due\n0.2\n1.0\n1.1\n4.0\n")
    profile = parse_profile(REPLAY.format(name="r.csv"), str(tmp_path / "p.toml"))
    assert (profile.rate, profile.duration, profile.requests(2)) == (3.0, 3.0, 8)
    requests = plan_schedule(profile, ("stable",))
    assert [request.due for request in requests] == [0.2, 1.0, 1.1, 4.0]
    assert [request.warm_up for request in requests] == [True, False, False, False]


@pytest.mark.parametrize(
    ("content", "text", "message"),
    [
        ("0\n2\n", 'rate = 5\nduration = "3s"\n', "rate and duration: what is replayed has its own; leave it out"),
        ("0\n0.5\n", "", "every offset lies in the warm-up: not one request would count"),
        ("0\nx\n", "", "r.csv:2: expected seconds from the start"),
    ],
)
def test_what_cannot_be_replayed_says_so(tmp_path, content, text, message):
    (tmp_path / "r.csv").write_text(content)
    with pytest.raises(ProfileError) as caught:
        parse_profile(REPLAY.format(name="r.csv") + text, str(tmp_path / "p.toml"))
    assert message in str(caught.value)


def test_replay_needs_its_file():
    with pytest.raises(ProfileError, match='arrival = "replay" and a file named by `replay` belong together'):
        parse_profile('arrival = "replay"\nrate = 1\nduration = "2s"\nprompts = ["x"]', "p.toml")


def test_a_replay_is_found_beside_its_profile(tmp_path):
    folder = tmp_path / "load" / "profiles"
    folder.mkdir(parents=True)
    (folder / "noon.toml").write_text(REPLAY.format(name="noon.ndjson"))
    (folder / "noon.ndjson").write_text("\n".join(json.dumps({"due": n / 4}) for n in range(20)))
    assert load_profile("noon", tmp_path).requests(1) == 20
