import datetime
import ipaddress
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from seatrial.environment.model import LoadLimits, Objectives
from seatrial.evidence.outcome import CannotLook, Outcome
from seatrial.load import driver
from seatrial.load.assess import assess_errors, assess_latency
from seatrial.load.profile import PACKAGE
from seatrial.load.sharing import measured_once

OBJECTIVES = Objectives()


def conclusions(measurement, objectives=OBJECTIVES):
    return assess_latency(measurement, objectives).outcome, assess_errors(measurement, objectives).outcome


def test_a_slow_candidate_fails_and_the_numbers_are_there(serve, run, pair_of):
    stable, candidate = serve(seed=1), serve(seed=2, delay=0.05)
    measurement = run(pair_of(stable.url, candidate.url), rate=60, duration="4s", bearer="t0ken")
    assert measurement.soundness.sound, measurement.soundness
    latency = assess_latency(measurement, OBJECTIVES)
    assert latency.outcome is Outcome.FAIL
    assert latency.n == 240
    assert float(latency.seen) > float(latency.limit)
    assert latency.unit.startswith("ms at p")
    assert assess_errors(measurement, OBJECTIVES).outcome is Outcome.INCONCLUSIVE  # 240 clean requests prove 2 %
    for server in (stable, candidate):
        seen = server.seen()
        assert seen["requests"] == 270
        assert seen["runs"] == ["run-1"]
        assert seen["user_agents"][0].startswith("seatrial/")
    assert stable.seen()["prompts"].count("when?") == candidate.seen()["prompts"].count("when?")


def test_equal_releases_pass(serve, run, pair_of):
    # A busy machine's noise takes more requests than a test has; the demo is asked whether it passes as it is.
    objectives = Objectives(error_rate=0.03, relative_margin=0.5)
    measurement = run(pair_of(serve(seed=1).url, serve(seed=2).url), rate=60, duration="5s")
    assert conclusions(measurement, objectives) == (Outcome.PASS, Outcome.PASS)


def test_errors_of_the_candidate_fail_and_are_counted_by_class(serve, run, pair_of):
    measurement = run(pair_of(serve().url, serve(errors=0.2, status=503).url), rate=60, duration="3s")
    errors = assess_errors(measurement, OBJECTIVES)
    assert errors.outcome is Outcome.FAIL
    assert errors.findings[0].path == "http-503"
    # A failure is as slow as the timeout; where the failures ended the run early, it may not be shown yet.
    assert assess_latency(measurement, OBJECTIVES).outcome in (Outcome.FAIL, Outcome.INCONCLUSIVE)


def test_errors_of_both_tracks_are_nobodys_fault(serve, run, pair_of):
    measurement = run(pair_of(serve(errors=0.2, seed=1).url, serve(errors=0.2, seed=2).url), rate=60, duration="3s")
    assert conclusions(measurement) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)


def test_stable_alone_is_judged_by_its_objectives(serve, run, pair_of):
    measurement = run(pair_of(serve().url), rate=60, duration="3s")
    assert measurement.control is None
    for objective, outcome in (("200ms", Outcome.PASS), ("10ms", Outcome.FAIL), (None, Outcome.INCONCLUSIVE)):
        objectives = Objectives.model_validate({"latency_p95": objective, "error_rate": 0.03})
        assert conclusions(measurement, objectives) == (outcome, Outcome.PASS)


def test_a_stall_is_seen_from_when_requests_were_due(serve, run, pair_of):
    """A server that freezes for a second: open-loop latencies show it in full, a closed loop would see one request."""
    stalled = serve(stall=1.0, stall_at=1.0, spread=0.0)
    measurement = run(pair_of(stalled.url), rate=100, duration="4s", timeout="5s")
    latencies = measurement.of("stable").latencies(5.0)
    assert measurement.soundness.unsent == 0
    # A quarter of the time is stalled, uniformly: the 90th percentile waits 0.6 s, the 80th 0.2 s.
    assert np.quantile(latencies, 0.9) == pytest.approx(0.62, abs=0.1)
    assert np.quantile(latencies, 0.8) == pytest.approx(0.22, abs=0.1)
    assert np.quantile(latencies, 0.7) < 0.1
    told = re.match(r"stable stood still for (\d\.\d\d) s at \d\.\d s, \d+ requests waiting", measurement.stalls())
    assert told is not None
    assert float(told[1]) == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(
    ("settings", "changes", "error"),
    [
        ({"cut": True}, {}, "truncated"),
        ({"cut": True}, {"stream": True}, "truncated"),
        ({"delay": 2.0}, {"timeout": "300ms"}, "timeout"),
    ],
)
def test_failures_have_classes(serve, run, settings, changes, error, pair_of):
    measurement = run(pair_of(serve(**settings).url), rate=20, duration="1s", **changes)
    assert set(measurement.of("stable").errors()) == {error}


def test_streams_are_timed_to_their_first_event(serve, run, pair_of):
    measurement = run(pair_of(serve(delay=0.1, spread=0.0).url), rate=20, duration="1s", stream=True)
    samples = measurement.of("stable")
    assert not samples.errors()
    assert np.median(samples.first - samples.due) == pytest.approx(0.055, abs=0.03)
    assert np.median(samples.end - samples.due) == pytest.approx(0.105, abs=0.04)


def test_nobody_listening_is_refused(run, unused_port, pair_of):
    measurement = run(pair_of(f"http://127.0.0.1:{unused_port}"), rate=20, duration="1s")
    assert set(measurement.of("stable").errors()) == {"refused"}


def test_a_token_that_is_refused_is_no_verdict_on_the_release(serve, run, pair_of):
    measurement = run(pair_of(serve(token="right").url), rate=20, duration="1s", bearer="wrong")
    assert conclusions(measurement) == (Outcome.ERROR, Outcome.ERROR)
    assert "refused our requests" in assess_latency(measurement, OBJECTIVES).message
    again = run(pair_of(serve(token="right").url), rate=20, duration="1s", bearer="right")
    assert not again.of("stable").errors()


def test_the_token_is_in_no_file(serve, run, tmp_path, pair_of):
    run(pair_of(serve().url), rate=20, duration="1s", bearer="s3cret-t0ken")
    assert all(b"s3cret-t0ken" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.fixture
def certificate(tmp_path):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seatrial test")])
    now = datetime.datetime.now(datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = tmp_path / "cert.pem", tmp_path / "key.pem"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(certificate), str(private)


def test_certificates_are_verified(serve, run, certificate, pair_of):
    server = serve(tls=certificate)
    unknown = run(pair_of(server.url), rate=20, duration="1s")
    assert set(unknown.of("stable").errors()) == {"tls"}
    known = run(pair_of(server.url, tls={"ca_file": certificate[0]}), rate=20, duration="1s")
    assert not known.of("stable").errors()


def test_nothing_is_sent_where_the_environment_does_not_allow_it(serve, run, pair_of):
    server = serve()
    with pytest.raises(CannotLook, match="does not allow load"):
        run(pair_of(server.url), limits=LoadLimits())
    with pytest.raises(CannotLook, match="50 requests/s"):
        run(pair_of(server.url), limits=LoadLimits(allowed=True, max_rate=49))
    assert server.seen()["requests"] == 0


def test_an_unsound_measurement_is_an_error_whatever_it_saw(serve, run, pair_of):
    measurement = run(pair_of(serve().url, serve(delay=0.2).url), bounds={"lateness_p99": "0.001ms"})
    assert conclusions(measurement) == (Outcome.ERROR, Outcome.ERROR)
    assert "sent late" in assess_errors(measurement, OBJECTIVES).message


def test_more_in_flight_than_the_limit_is_left_unsent_and_counted(serve, run, tmp_path, pair_of):
    measurement = run(pair_of(serve(delay=30.0, spread=0.0).url), rate=50, duration="2s", timeout="500ms")
    assert measurement.soundness.unsent == 0
    plan = json.loads((tmp_path / "samples" / "chatbot.plan.json").read_text())
    narrow = {**plan, "in_flight": 5, "samples": str(tmp_path / "narrow.ndjson")}
    (tmp_path / "narrow.json").write_text(json.dumps(narrow))
    driver.run_workers(tmp_path / "narrow.json", tmp_path / "narrow.log", bearer=None, within=30)
    lines = [json.loads(line) for line in (tmp_path / "narrow.ndjson").read_text().splitlines()]
    assert lines[-1]["unsent"] > 50
    assert lines[-1]["written"] == lines[-1]["scheduled"] == len(plan["requests"])


def test_locust_not_installed_says_what_to_install(run, serve, monkeypatch, pair_of):
    monkeypatch.setattr(driver.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotLook, match=r"pip install 'seatrial\[load\]'"):
        run(pair_of(serve().url))


def test_a_crash_shows_the_end_of_the_log(tmp_path):
    with pytest.raises(CannotLook, match=r"failed with exit code 1; its log ends:\n(.|\n)*No such file"):
        driver.run_workers(tmp_path / "absent.json", tmp_path / "log", bearer=None, within=30)


def test_a_process_that_overruns_is_killed(serve, run, tmp_path, pair_of):
    run(pair_of(serve().url), rate=20, duration="1s")
    plan = json.loads((tmp_path / "samples" / "chatbot.plan.json").read_text())
    plan["requests"][-1]["due"] = 60.0
    (tmp_path / "long.json").write_text(json.dumps(plan))
    with pytest.raises(CannotLook, match="did not end within 2 s and was killed"):
        driver.run_workers(tmp_path / "long.json", tmp_path / "log", bearer=None, within=2)


def test_the_process_ends_when_its_parent_does(serve, run, tmp_path, pair_of):
    run(pair_of(serve().url), rate=20, duration="1s")
    plan = json.loads((tmp_path / "samples" / "chatbot.plan.json").read_text())
    plan["requests"][-1]["due"] = 60.0
    (tmp_path / "long.json").write_text(json.dumps(plan))
    worker = subprocess.Popen(
        [sys.executable, "-m", "seatrial.load.worker", str(tmp_path / "long.json"), "0"],
        stdin=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
    )
    worker.stdin.write(b"{}\n")
    worker.stdin.close()
    assert worker.wait(timeout=20) == 3


def test_the_locustfile_runs_under_locusts_own_command(serve, run, tmp_path, pair_of):
    server = serve()
    run(pair_of(server.url), rate=20, duration="1s")
    samples = tmp_path / "samples" / "chatbot.ndjson"
    before = server.seen()["requests"]
    samples.unlink()
    subprocess.run(
        [sys.executable, "-m", "locust", "-f", "load/locustfile.py", "--headless", "-u", "1", "--loglevel", "WARNING"],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "SEATRIAL_LOAD_PLAN": str(tmp_path / "samples" / "chatbot.plan.json")},
        check=True,
        timeout=30,
        capture_output=True,
    )
    assert server.seen()["requests"] == 2 * before
    assert '"kind":"footer"' in samples.read_text()


def test_one_measurement_serves_several_checks_and_processes(serve, run, tmp_path, profile, pair_of):
    pair = pair_of(serve().url)
    taken = []

    def take():
        taken.append(1)
        return run(pair, rate=20, duration="1s")

    results = []

    def ask():
        results.append(
            measured_once(
                pair, profile(rate=20, duration="1s"), run_id="run-1", directory=tmp_path / "samples", take=take
            )
        )

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert taken == [1]
    assert len({result.soundness for result in results}) == 1
    assert [len(result.samples) for result in results] == [30, 30, 30]
    with pytest.raises(CannotLook, match="seen that of 'run-1'"):
        measured_once(pair, profile(), run_id="run-2", directory=tmp_path / "samples", take=take)


def test_a_measurement_that_failed_is_not_repeated(tmp_path, profile, pair_of):
    pair = pair_of("http://127.0.0.1:1")
    tries = []

    def take():
        tries.append(1)
        raise CannotLook("no Locust here")

    for _ in range(2):
        with pytest.raises(CannotLook, match="no Locust here"):
            measured_once(pair, profile(), run_id="run-1", directory=tmp_path, take=take)
    assert tries == [1]


def test_a_worker_that_is_killed_is_an_error(serve, run, tmp_path, monkeypatch, pair_of):
    real = driver.subprocess.Popen

    def killed(*args, **kwargs):
        process = real(*args, **kwargs)
        threading.Timer(2.0, process.send_signal, [signal.SIGKILL]).start()
        return process

    server = serve()
    monkeypatch.setattr(driver.subprocess, "Popen", killed)
    with pytest.raises(CannotLook, match="was killed by SIGKILL"):
        run(pair_of(server.url), duration="10s")


def test_no_samples_are_no_pass(serve, run, pair_of):
    measurement = run(pair_of(serve().url), rate=20, duration="1s")
    empty = replace(measurement, samples=measurement.samples.where(np.zeros(len(measurement.samples), dtype=bool)))
    objectives = Objectives.model_validate({"latency_p95": "1s"})
    assert conclusions(empty, objectives) == (Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE)


def test_gevent_and_locust_stay_out_of_this_process():
    """Importing Locust patches threads and sockets, and was seen to lose tests silently."""
    assert {name for name in sys.modules if name.split(".")[0] in {"gevent", "locust", "geventhttpclient"}} == set()
