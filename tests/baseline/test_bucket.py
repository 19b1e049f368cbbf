"""Baselines in a bucket: in memory for every test run, and over the protocols of S3 and Azure against servers.

The libraries of S3's server want other versions than the Kubernetes client: `make s3` makes an environment for them.
"""

from __future__ import annotations

import base64
import hmac
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from urllib.request import Request, urlopen

import obstore
import pytest
from obstore.store import MemoryStore, ObjectStore

from seatrial.baseline.series import Series, SeriesProblem, StoredRun
from seatrial.baseline.store import Store
from seatrial.load import bucket, place
from seatrial.load.bucket import Bucket
from seatrial.load.place import Place, PlaceProblem, place_of
from support.baselines import BEGIN, FINGERPRINT, after, project, promoted
from support.project import REPOSITORY
from support.required import python_of

EMPTY = Series(environment="qa", service="chat", profile="baseline", fingerprint=FINGERPRINT)
NAME = Store(place=Bucket("memory://kept", MemoryStore())).name("qa", "chat", "baseline", FINGERPRINT)


def stored(number: int) -> StoredRun:
    return StoredRun(
        run=f"run-{number:03}",
        finished=f"2026-01-{number + 1:02}T00:00:00Z",
        release="1.0",
        requests=500,
        failed=0,
        levels={"p50": 100_000, "p95": 200_000},
        samples="0" * 64,
        decision="0" * 64,
    )


@pytest.fixture
def memory() -> ObjectStore:
    return MemoryStore()


def store_in(memory: ObjectStore) -> Store:
    return Store(place=Bucket("memory://kept", memory))


def test_a_series_is_read_as_it_was_written(memory: ObjectStore) -> None:
    store = store_in(memory)
    assert store.find("qa", "chat", "baseline", FINGERPRINT) is None
    for number in range(3):
        store.change(EMPTY, lambda one, n=number: one.add(stored(n), now=BEGIN))
    found = store.find("qa", "chat", "baseline", FINGERPRINT)
    assert found is not None
    assert [run.run for run in found.runs] == ["run-000", "run-001", "run-002"]
    assert store.names() == store.names("qa") == [NAME]
    assert store.names("production") == []
    assert store.kin("qa", "chat") == [found]
    obstore.put(memory, "qa/chat.baseline.calibration.json", b"{}")
    obstore.put(memory, "qa/deeper/one.json", b"{}")
    assert store.names() == [NAME]


def test_who_comes_second_reads_again(memory: ObjectStore) -> None:
    store, other = store_in(memory), store_in(memory)
    store.change(EMPTY, lambda one: one.add(stored(0), now=BEGIN))
    asked = []

    def interrupted(one: Series) -> Series:
        asked.append(len(one.runs))
        if len(asked) == 1:
            other.change(EMPTY, lambda same: same.add(stored(1), now=BEGIN))
        return one.add(stored(2), now=BEGIN)

    after = store.change(EMPTY, interrupted)
    assert asked == [1, 2]
    assert [run.run for run in after.runs] == ["run-000", "run-001", "run-002"]
    assert store.find("qa", "chat", "baseline", FINGERPRINT) == after


def test_two_that_begin_a_series_lose_no_run(memory: ObjectStore) -> None:
    store, other = store_in(memory), store_in(memory)

    def interrupted(one: Series) -> Series:
        if not one.runs:
            other.change(EMPTY, lambda same: same.add(stored(0), now=BEGIN))
        return one.add(stored(1), now=BEGIN)

    assert len(store.change(EMPTY, interrupted).runs) == 2


def test_where_others_always_come_first_it_gives_up(memory: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bucket, "TRIES", 3)
    kept = Bucket("memory://kept", memory)
    texts = iter("abcd")

    def outrun(text: str | None) -> str:
        obstore.put(memory, "qa/x.json", next(texts).encode())
        return "mine"

    with pytest.raises(PlaceProblem, match=r"^memory://kept/qa/x.json: others changed it 3 times in between: try"):
        kept.change("qa/x.json", outrun)
    assert kept.read("qa/x.json") == "c"


def test_a_change_that_fails_leaves_the_object(memory: ObjectStore) -> None:
    store = store_in(memory)
    store.change(EMPTY, lambda one: one.add(stored(0), now=BEGIN))
    with pytest.raises(SeriesProblem, match="run-000 is there already"):
        store.change(EMPTY, lambda one: one.add(stored(0), now=BEGIN))
    assert len(store.kin("qa", "chat")[0].runs) == 1


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:50], lambda text: b"\xff", lambda text: b"{}"], ids=["cut", "no-text", "other"]
)
def test_what_cannot_be_relied_on_is_refused(memory: ObjectStore, spoil: Callable[[bytes], bytes]) -> None:
    store = store_in(memory)
    store.change(EMPTY, lambda one: one.add(stored(0), now=BEGIN))
    obstore.put(memory, NAME, spoil(bytes(obstore.get(memory, NAME).bytes())))
    with pytest.raises(PlaceProblem, match=f"^memory://kept/{NAME}: "):
        store.find("qa", "chat", "baseline", FINGERPRINT)
    with pytest.raises(PlaceProblem):
        store.change(EMPTY, lambda one: one.add(stored(1), now=BEGIN))


def test_an_address_of_no_known_kind_is_refused() -> None:
    with pytest.raises(PlaceProblem, match=r"^ftp://kept: expected a folder, or an address of s3://, gs://, az://$"):
        place_of("ftp://kept")


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "find_spec", lambda name: None)
    with pytest.raises(PlaceProblem, match=r"^s3://kept: buckets take one package more: install `seatrial\[bucket\]`$"):
        place_of("s3://kept")


def test_a_bucket_that_cannot_be_opened_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AZURE_")]:
        monkeypatch.delenv(name)
    with pytest.raises(PlaceProblem, match=r"^az://kept/qa/x.json: cannot be read: .*Account must be specified$"):
        place_of("az://kept").read("qa/x.json")


def test_the_command_refuses_what_it_cannot_read(tmp_path: Path) -> None:
    project(tmp_path)
    found = subprocess.run(
        [sys.executable, "-m", "seatrial.cli", "baseline", "list", "--store", "ftp://kept"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 10
    assert "ftp://kept: expected a folder, or an address of s3://" in found.stderr


SERVER = """
import sys
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()  # until the parent goes
server.stop()
"""


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server that speaks S3's protocol, with a bucket `kept`."""
    python = python_of("s3")
    process = subprocess.Popen(
        [str(python), "-c", SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = f"http://127.0.0.1:{int(process.stdout.readline())}"
        urlopen(Request(f"{url}/kept", method="PUT")).close()
        for name, value in {
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "nothing",
            "AWS_REGION": "eu-central-1",
        }.items():
            monkeypatch.setenv(name, value)
        yield url
    finally:
        process.communicate()


def write_at_the_same_time(url: str) -> None:
    """No run is lost in between."""

    def enter(numbers: range) -> None:
        store = Store(place=place_of(url))
        for number in numbers:
            store.change(EMPTY, lambda one, n=number: one.add(stored(n), now=BEGIN))

    threads = [threading.Thread(target=enter, args=(range(first, 24, 3),)) for first in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    store = Store(place=place_of(f"{url}/"))
    found = store.find("qa", "chat", "baseline", FINGERPRINT)
    assert found is not None
    assert [run.run for run in found.runs] == [f"run-{number:03}" for number in range(24)]
    assert store.names() == [NAME]


ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
"""Those of every emulator of Azure's storage, as its documentation names them."""


@pytest.fixture
def azure(need: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Azure's own emulator, with a container `kept`."""
    words = [need("azurite-blob"), "--inMemoryPersistence", "--blobPort", "0", "--skipApiVersionCheck"]
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "")
        url = next(found[0] for line in lines if (found := re.search(r"http://127\.0\.0\.1:[1-9]\d*", line)))
        _make_container(url)
        monkeypatch.setenv("AZURE_STORAGE_USE_EMULATOR", "true")
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", ACCOUNT)
        monkeypatch.setenv("AZURITE_BLOB_STORAGE_URL", url)
        yield
    finally:
        process.terminate()
        process.communicate()


def _make_container(url: str) -> None:
    moment = formatdate(usegmt=True)
    fields = ("PUT", *[""] * 11, f"x-ms-date:{moment}", "x-ms-version:2021-08-06")
    signed = "\n".join((*fields, f"/{ACCOUNT}/{ACCOUNT}/kept", "restype:container"))
    signature = base64.b64encode(hmac.digest(base64.b64decode(KEY), signed.encode(), "sha256")).decode()
    headers = {
        "x-ms-date": moment,
        "x-ms-version": "2021-08-06",
        "Authorization": f"SharedKey {ACCOUNT}:{signature}",
        "Content-Length": "0",
    }
    urlopen(Request(f"{url}/{ACCOUNT}/kept?restype=container", method="PUT", headers=headers)).close()


@pytest.mark.long
@pytest.mark.usefixtures("azure")
class TestOverAzure:
    def test_writers_at_the_same_time_lose_no_run(self) -> None:
        write_at_the_same_time("az://kept/base/lines")

    def test_a_container_that_is_not_there_says_so(self) -> None:
        with pytest.raises(PlaceProblem, match=r"^az://none: cannot be read: .*ContainerNotFound"):
            place_of("az://none").names()


@pytest.mark.long
class TestOverS3:
    def test_writers_at_the_same_time_lose_no_run(self, s3: str) -> None:
        write_at_the_same_time("s3://kept/base/lines")

    def test_the_commands_keep_and_list_there(self, s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        project(tmp_path)
        toml = tmp_path / "fixtures" / "environments" / "qa.toml"
        toml.write_text(toml.read_text() + '\n[baseline]\nstore = "s3://kept/lines"\n')
        monkeypatch.chdir(tmp_path)
        promoted(tmp_path / "reports", 1)

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "seatrial.cli", "baseline", *arguments, f"--now={after(2)}"],
                cwd=tmp_path,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "verification")},
                capture_output=True,
                text=True,
            )

        entered = run("update", "reports")
        assert entered.returncode == 0, entered.stdout + entered.stderr
        listed = run("list", "--env", "qa")
        assert f"s3://kept/lines/{NAME}" in listed.stdout, listed.stdout + listed.stderr
        assert not (tmp_path / "s3:").exists()

    def test_a_bucket_that_is_not_there_says_so(self, s3: str) -> None:
        missing: Place = place_of("s3://none")
        with pytest.raises(PlaceProblem, match=r"^s3://none: cannot be read: .*NoSuchBucket"):
            missing.names()

    def test_a_server_that_does_not_answer_says_so(self, s3: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        with pytest.raises(PlaceProblem, match=r"^s3://kept/qa/x.json: cannot be read: .*error sending request"):
            place_of("s3://kept").read("qa/x.json")


def test_the_form_is_that_of_a_folder(memory: ObjectStore, tmp_path: Path) -> None:
    for kept in (Bucket("memory://kept", memory), place_of(tmp_path)):
        Store(place=kept).change(EMPTY, lambda one: one.add(stored(0), now=BEGIN))
    content = bytes(obstore.get(memory, NAME).bytes())
    assert content == (tmp_path / NAME).read_bytes()
    assert json.loads(content)["environment"] == "qa"
