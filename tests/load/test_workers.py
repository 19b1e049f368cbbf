"""Several processes that share a schedule, and what a process finds out about itself before it sends."""

import json
import re
import signal
import subprocess
import threading
from collections import Counter

import pytest

from seatrial.environment.model import Objectives
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.load import driver
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.plan import read_plan
from seatrial.load.samples import Sample, SamplesError, SampleWriter, merge_samples, read_samples


def test_workers_share_the_schedule_and_begin_together(serve, run, tmp_path, pair_of):
    stable, candidate = serve(seed=1), serve(seed=2)
    measurement = run(pair_of(stable.url, candidate.url), rate=60, duration="3s", workers=3)
    assert measurement.soundness.sound, measurement.soundness
    assert len(measurement.samples) == 2 * (180 + 30)
    assert stable.seen()["requests"] == candidate.seen()["requests"] == 210
    assert sorted(path.name for path in (tmp_path / "samples").glob("*.ndjson")) == ["chatbot.ndjson"]
    plan = read_plan(tmp_path / "samples" / "chatbot.plan.json")
    shares = [plan.share(index).requests for index in range(3)]
    assert sorted((r for share in shares for r in share), key=lambda r: r.due) == list(plan.requests)
    for share in shares:
        assert set(Counter(request.pair for request in share).values()) == {2}
    # Every request of every process is told on one clock: none is early, and all but a few on time.
    late = measurement.samples.sent - measurement.samples.due
    assert late.min() >= 0
    assert assess_errors(measurement, Objectives(error_rate=0.03)).outcome is Outcome.PASS
    assert read_samples(measurement.path, run_id="run-1", service="chatbot").footer.overhead_p50 > 0


def test_several_are_stopped_early(serve, run, pair_of):
    pair = pair_of(serve(seed=1).url, serve(seed=2, delay=0.2).url)
    measurement = run(pair, rate=50, warm_up="2s", duration="40s", workers=2)
    footer = read_samples(measurement.path, run_id="run-1", service="chatbot").footer
    assert footer.stopped
    assert footer.written == footer.scheduled < measurement.profile.requests(2)
    assert measurement.soundness.sound, measurement.soundness
    assert assess_latency(measurement, Objectives()).outcome is Outcome.FAIL


def test_one_that_is_killed_ends_them_all(serve, run, monkeypatch, pair_of):
    real, started = driver.subprocess.Popen, []

    def noted(*args, **kwargs):
        started.append(real(*args, **kwargs))
        return started[-1]

    server = serve()
    monkeypatch.setattr(driver.subprocess, "Popen", noted)
    threading.Timer(4.0, lambda: started[1].send_signal(signal.SIGKILL)).start()
    with pytest.raises(CannotLook, match="was killed by SIGKILL"):
        run(pair_of(server.url), duration="30s", workers=2)
    assert [process.poll() for process in started] == [-signal.SIGKILL, -signal.SIGKILL]


def test_our_own_overhead_is_measured_and_bound(serve, run, pair_of):
    bounds = {"lateness_p99": "500ms", "achieved": 0.9, "overhead_p50": "0.001ms", "overhead_p99": "0.001ms"}
    measurement = run(pair_of(serve().url), rate=20, duration="1s", bounds=bounds)
    soundness = measurement.soundness
    assert 0 < soundness.overhead_p50 <= soundness.overhead_p99
    assert re.search(r"own overhead p50 \d+\.\d ms, p99 \d+\.\d ms", str(soundness))
    told = "; ".join(soundness.problems)
    assert re.search(r"a server that answers at once took us p50 \d+\.\d ms, tolerated 0\.0 ms", told)
    assert assess_errors(measurement, Objectives()).outcome is Outcome.ERROR


def test_a_stream_has_a_null_server_of_its_own_kind(serve, run, pair_of):
    assert run(pair_of(serve().url), rate=20, duration="1s", stream=True).soundness.overhead_p99 > 0


def test_nothing_of_a_measurement_outlives_it(serve, run, pair_of):
    run(pair_of(serve().url), rate=20, duration="1s", workers=2)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    mine = str(driver.PACKAGE / "load" / "null_server.py")
    assert mine not in listed


def part(path, dues, **footer):
    with path.open("w") as stream:
        writer = SampleWriter(stream, run_id="r", service="chat")
        for due in dues:
            writer.add(Sample(track="stable", pair=int(due * 10), warm_up=False, prompt=0, due=due, sent=due, end=due))
        writer.finish(**{"scheduled": len(dues), "wall": 2.0, "cpu": 0.2, **footer})
    return path


def test_parts_are_merged_in_order_and_the_worst_is_told(tmp_path):
    one = part(tmp_path / "a", [0.0, 0.4], cpu=0.2, overhead_p99=0.003)
    other = part(tmp_path / "b", [0.2, 10.0], cpu=1.8, wall=4.0, stopped=True, overhead_p99=0.001)
    merge_samples([one, other], tmp_path / "whole")
    file = read_samples(tmp_path / "whole", run_id="r", service="chat")
    assert [json.loads(line)["due"] for line in (tmp_path / "whole").read_text().splitlines()[1:-1]] == [
        0,
        0.2,
        0.4,
        10,
    ]
    footer = file.footer
    assert (footer.scheduled, footer.written, footer.stopped, footer.overhead_p99) == (4, 4, True, 0.003)
    assert footer.cpu / footer.wall == pytest.approx(0.45)
    assert not one.exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda path: path.write_text(path.read_text().rpartition('{"kind":"footer"')[0]), "corrupt|truncated"),
        (lambda path: path.write_text(""), "corrupt"),
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_text(path.read_text().replace('"written":2', '"written":3')), "truncated after 2"),
    ],
)
def test_a_part_that_is_not_whole_is_refused(tmp_path, spoil, message):
    one, other = part(tmp_path / "a", [0.0, 0.4]), part(tmp_path / "b", [0.2, 0.3])
    spoil(other)
    with pytest.raises(SamplesError, match=message):
        merge_samples([one, other], tmp_path / "whole")
    assert one.exists()
