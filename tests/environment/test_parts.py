"""Precedence, secrets, permission, and what importing costs."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatrial.environment.model import Data, Environment, LoadLimits, SecretFromEnv, SecretFromFile
from seatrial.environment.permission import refuse_load, refuse_write
from seatrial.environment.precedence import choose
from seatrial.environment.secrets import SecretProblem, SecretStore

PRECEDENCE = [
    # command line, variable, file, default -> value, origin
    ("a", "b", "c", "d", "a", "command line"),
    (None, "b", "c", "d", "b", "SEATRIAL_A_NAME"),
    (None, None, "c", "d", "c", "file"),
    (None, None, None, "d", "d", "default"),
    (None, None, None, None, None, "default"),
    ("", "", "", "d", "d", "default"),
    ("a", None, None, None, "a", "command line"),
]


@pytest.mark.parametrize(("line", "variable", "file", "default", "value", "origin"), PRECEDENCE)
def test_precedence(
    line: str | None, variable: str | None, file: str | None, default: str | None, value: str | None, origin: str
) -> None:
    environ = {} if variable is None else {"SEATRIAL_A_NAME": variable}
    choice = choose("a-name", command_line=line, file=file, default=default, environ=environ)
    assert (choice.value, choice.origin) == (value, origin)


@given(st.tuples(*[st.none() | st.sampled_from(["", "x"]) for _ in range(4)]))
def test_the_first_that_is_given_wins(values: tuple[str | None, ...]) -> None:
    line, variable, file, default = values
    environ = {} if variable is None else {"SEATRIAL_X": variable}
    choice = choose("x", command_line=line, file=file, default=default, environ=environ)
    assert choice.value == next((value for value in (line, variable, file) if value), default)


def test_the_process_environment_is_asked_where_none_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEATRIAL_TRACK", "candidate")
    assert choose("track").value == "candidate"


def test_secrets_are_remembered(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_bytes(b" from file \r\n")
    store = SecretStore({"TOKEN": "from env"})
    assert store.values() == frozenset()
    assert store.resolve(SecretFromEnv(env="TOKEN"), "services.chat.auth") == "from env"
    assert store.resolve(SecretFromFile(file=str(file)), "metrics.auth") == " from file "
    store.remember("elsewhere")
    assert store.values() == {"from env", " from file ", "elsewhere"}
    assert "from" not in repr(store)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"], ids=["absent", "empty", "newline", "no text"])
def test_a_secret_that_is_not_there_is_an_error_that_names_it(content: bytes | None, tmp_path: Path) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_bytes(content)
    store = SecretStore({})
    with pytest.raises(SecretProblem, match=rf"^services\.chat\.auth: expected a secret in the file {file}"):
        store.resolve(SecretFromFile(file=str(file)), "services.chat.auth")
    assert store.values() == frozenset()


@pytest.mark.parametrize("environ", [{}, {"TOKEN": ""}])
def test_an_unset_variable_is_an_error_that_names_it(environ: dict[str, str]) -> None:
    with pytest.raises(SecretProblem, match=r"^databases\.d\.dsn: .* variable TOKEN, which is not set$"):
        SecretStore(environ).resolve(SecretFromEnv(env="TOKEN"), "databases.d.dsn")


def test_refusals_name_the_key_that_would_allow_it() -> None:
    closed = Environment(name="staging", data=Data(classification="synthetic"))
    assert refuse_write(closed) == (
        "data.allow_writes is false in the environment staging; "
        "`allow_writes = true` under [data] of its file would allow it"
    )
    assert refuse_load(closed) == (
        "load.allowed is false in the environment staging; "
        "`allowed = true` under [load] of its file, with the bounds that it can bear, would allow it"
    )
    assert "which holds production data" in str(refuse_write(Environment(name="x")))
    opened = Environment(name="dev", data=Data(allow_writes=True), load=LoadLimits(allowed=True))
    assert refuse_write(opened) is None
    assert refuse_load(opened) is None


def test_nothing_is_allowed_unless_said() -> None:
    environment = Environment(name="x")
    assert refuse_write(environment)
    assert refuse_load(environment)


def test_importing_is_light() -> None:
    modules = ("command", "init_command", "loading", "precedence", "secrets", "selection", "documentation")
    code = "import sys\n" + "".join(f"import seatrial.environment.{module}\n" for module in modules)
    code += "print(*{'kubernetes', 'httpx', 'pytest', 'numpy', 'locust'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
