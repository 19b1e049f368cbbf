import numpy as np
import pytest

from seatrial.load.measurement import judge_soundness
from seatrial.load.samples import Sample, SampleFile, SamplesError, SampleWriter, read_samples


def sample(pair, *, track="stable", late=0.0, **changes):
    due = pair / 50
    times = {"sent": due + late, "first": due + 0.01, "end": due + 0.02, "status": 200, "bytes": 9}
    return Sample(**{"track": track, "pair": pair, "warm_up": False, "prompt": 0, "due": due, **times, **changes})


def write(path, samples, *, scheduled=None, cpu=0.1):
    with path.open("w") as stream:
        writer = SampleWriter(stream, run_id="run-1", service="chatbot")
        for one in samples:
            writer.add(one)
        writer.finish(scheduled=len(samples) if scheduled is None else scheduled, wall=2.0, cpu=cpu)
    return path


def read(path, service="chatbot"):
    return read_samples(path, run_id="run-1", service=service)


def test_what_is_written_is_read(tmp_path):
    path = write(tmp_path / "s.ndjson", [sample(1), sample(0, sent=None, first=None, end=None, error="unsent")])
    file = read(path)
    assert file.samples.pair.tolist() == [0, 1]
    assert np.isnan(file.samples.sent[0])
    assert (file.footer.written, file.footer.unsent) == (2, 1)


def test_failures_count_as_latency_of_at_least_the_timeout(tmp_path):
    path = write(
        tmp_path / "s.ndjson", [sample(0), sample(1, error="http-500"), sample(2, end=7 + 2 / 50, error="timeout")]
    )
    assert read(path).samples.latencies(5.0).tolist() == pytest.approx([0.02, 5.0, 7.0])


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda lines: lines[:-1], "truncated after 3 samples"),
        (lambda lines: [*lines[:-1], lines[-1][:20]], ":5: corrupt"),
        (lambda lines: [lines[0], *lines[2:]], "the footer counts 3 samples; seen 2"),
        (lambda lines: lines[1:], "expected a header"),
        (lambda lines: [*lines, lines[1]], "expected nothing after the footer"),
        (lambda lines: [], "seen None"),
        (lambda lines: [lines[0].replace('"schema":3', '"schema":1'), *lines[1:]], "expected a header of schema 3"),
        (lambda lines: [lines[0], '{"kind":"sample"}', *lines[2:]], "corrupt"),
    ],
)
def test_a_file_that_is_not_whole_is_refused(tmp_path, spoil, message):
    path = write(tmp_path / "s.ndjson", [sample(n) for n in range(3)])
    path.write_text("\n".join(spoil(path.read_text().splitlines())))
    with pytest.raises(SamplesError) as caught:
        read(path)
    assert message in str(caught.value)


def test_a_file_of_another_service_is_refused(tmp_path):
    path = write(tmp_path / "s.ndjson", [sample(0)])
    with pytest.raises(SamplesError, match="seen 'run-1' of 'chatbot'"):
        read(path, service="other")
    with pytest.raises(SamplesError, match="cannot be read"):
        read(tmp_path / "absent.ndjson")


def soundness(tmp_path, profile, samples, *, scheduled=None, tracks=("stable",), **changes):
    file: SampleFile = read(write(tmp_path / "s.ndjson", samples, **changes))
    return judge_soundness(file, profile(bounds={}), scheduled=scheduled or len(samples), tracks=tracks)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda n: sample(n, late=0.06 if n % 50 == 0 else 0), "requests were sent late: p99 60.0 ms"),
        (lambda n: sample(n, late=n / 50 * 0.02), "of the scheduled rate was reached"),
        (
            lambda n: sample(n, sent=None, end=None, error="unsent") if n == 7 else sample(n),
            "1 of 200 requests were not",
        ),
        (lambda n: sample(n, status=429, error="http-429") if n % 20 == 0 else sample(n), "every track refused"),
        (lambda n: sample(n, warm_up=True), "not one request was sent to stable"),
    ],
)
def test_out_of_bounds_is_not_sound(tmp_path, profile, build, message):
    found = soundness(tmp_path, profile, [build(n) for n in range(200)])
    assert not found.sound
    assert message in "; ".join(found.problems)


def test_within_bounds_is_sound(tmp_path, profile):
    found = soundness(tmp_path, profile, [sample(n, late=0.001) for n in range(200)])
    assert found.sound, found.problems
    assert (found.scheduled, found.sent, found.unsent) == (200, 200, 0)
    assert found.achieved == pytest.approx(1.0)


def test_a_busy_client_and_missing_samples_are_not_sound(tmp_path, profile):
    samples = [sample(n) for n in range(200)]
    assert "used 95% of a core" in str(soundness(tmp_path, profile, samples, cpu=1.9).problems)
    assert "expected 201 samples, seen 200" in str(soundness(tmp_path, profile, samples, scheduled=201).problems)
    assert "not one request was sent to candidate" in str(
        soundness(tmp_path, profile, samples, tracks=("stable", "candidate")).problems
    )
