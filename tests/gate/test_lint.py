"""`seatrial policy lint`: what cannot be meant is named at its key; what ships is clean."""

import datetime as dt
import json
from pathlib import Path

import pytest

from seatrial import cli
from support.known_checks import text as known_checks
from support.reports import good

REPOSITORY = Path(__file__).parents[2]
NOW = "--now=2026-05-04T12:00:00Z"
SMOKE = "[required.smoke]\nminimum = 4\n"
ROLLBACK = '[rollback]\nrequires = ["rollback/history"]\n'


def waiver(match: str, expires: str = "2026-06-30", name: str = "waivers") -> str:
    return f"[[{name}]]\nmatch = '{match}'\nowner = 'kim'\nreason = 'x'\nexpires = {expires}\n"


def weekly(*windows: str) -> str:
    return "".join(f"[[freeze]]\nweekly = '{text}'\nreason = 'x'\n" for text in windows)


KEY = "GM1HXSYG+Sq5s/k3YYuPdw3dfpuiXZZ7rCId+VjCCeQ="
PERSON = f"[[approval.identities]]\nname = 'kim'\nkey = '{KEY}'\n"
BAD = [
    # Rules that cannot fire.
    ("dry_run = ['smoke/redy']", "error: dry_run: smoke/redy is no check of seatrial; did you mean smoke/ready?"),
    (
        "dry_run = ['ours/thing']",
        "warning: dry_run: ours/thing is no check of seatrial; `seatrial checks` lists those that",
    ),
    (
        "[rollback]\nrequires = ['rollback/histroy']",
        "error: rollback.requires: rollback/histroy is no check of seatrial; did you mean rollback/history?",
    ),
    (
        "[rollback.latency]\nrequires = ['latency/calibratd']",
        "error: rollback.latency.requires: latency/calibratd is no check of seatrial; did you mean latency/calibrated?",
    ),
    (
        "[manifest]\nexpected = ['smoke/nds[chat]@candidate']",
        "error: manifest.expected: smoke/nds[chat]@candidate is no check of seatrial; did you mean smoke/dns?",
    ),
    (
        "[waivable]\nnever = ['smokes/*']",
        "error: waivable.never: smokes/* is no check of seatrial; did you mean smoke/tls?",
    ),
    (
        waiver("podsec/privilegd"),
        "error: waivers[1]: podsec/privilegd is no check of seatrial; did you mean podsec/privileged?",
    ),
    (
        waiver("smoke/dsn", name="quarantine"),
        "error: quarantine[1]: smoke/dsn is no check of seatrial; did you mean smoke/dns?",
    ),
    (
        "dry_run = ['smoke/dns']\n" + waiver("smoke/dns"),
        "error: waivers[1]: smoke/dns is in dry_run and decides nothing: there is nothing to waive",
    ),
    (
        "dry_run = ['smoke/dns']\n" + waiver("smoke/dns", name="quarantine"),
        "error: quarantine[1]: smoke/dns is in dry_run and decides nothing: there is nothing to set aside",
    ),
    (
        waiver("smoke/dns") + waiver("smoke/dns", name="quarantine"),
        "error: waivers[1]: smoke/dns is in quarantine and decides nothing: there is nothing to waive",
    ),
    (
        "[waivable]\nnever = ['smoke/*']\n" + waiver("smoke/dns"),
        "error: waivers[1]: smoke/dns may never be waived (waivable.never smoke/*): it only holds",
    ),
    (waiver("smoke/dns") * 2, "error: waivers[2]: smoke/dns stands there twice"),
    ("dry_run = ['smoke/dns', 'smoke/dns']", "warning: dry_run: smoke/dns stands there twice"),
    (waiver("*"), "error: waivers[1]: * waives every failure"),
    (waiver("*", name="quarantine"), "error: quarantine[1]: * sets every check aside"),
    # Days that are over.
    (
        waiver("smoke/dns", "2026-05-03"),
        "error: waivers[1]: smoke/dns is over since 2026-05-03 (kim): it exempts nothing",
    ),
    (
        waiver("smoke/dns", "2026-05-03", "quarantine"),
        "error: quarantine[1]: smoke/dns is over since 2026-05-03 (kim): it exempts nothing",
    ),
    (waiver("smoke/dns", "2026-05-10"), "warning: waivers[1]: smoke/dns is over after 2026-05-10 (kim)"),
    (
        waiver("smoke/dns", "2031-01-01"),
        "error: waivers[1]: smoke/dns holds until 2031-01-01: that is a rule, not an exemption",
    ),
    (
        "[[freeze]]\nfrom = 2026-01-01T00:00:00Z\nuntil = 2026-01-02T00:00:00Z\nreason = 'x'",
        "warning: freeze[1]: is over since 2026-01-02T00:00:00Z, and never holds again",
    ),
    (
        "[[freeze]]\nfrom = 2026-01-01T00:00:00Z\nuntil = 2027-01-02T00:00:00Z\nreason = 'x'",
        "error: freeze: covers all of the next 7 days: nothing can be promoted",
    ),
    (
        weekly("Mon 00:00 to Fri 00:00", "Fri 00:00 to Mon 00:00"),
        "error: freeze: covers all of the next 7 days: nothing can be promoted",
    ),
    (
        weekly("Fri 16:00 to Mon 06:00") * 2,
        "warning: freeze[2]: every week Fri 16:00 to Mon 06:00 UTC stands there twice",
    ),
    # Limits that never hold, or always do.
    ("required = {}", "warning: required: requires no suite, so one check that passes promotes"),
    (
        "required = {}\n[evidence]\nexpected = 'required-suites'",
        "error: required: requires no suite, and evidence.expected = 'required-suites' asks for no planned check: one",
    ),
    (
        SMOKE + "[budgets]\ninconclusive = 4",
        "error: budgets.inconclusive: is 4, and checks required are 4: all of them may be undecided",
    ),
    (
        "[required.latency]\n" + "[budgets]\ninconclusive = 3",
        "error: budgets.inconclusive: is 3, and checks required are 1: all of them may be undecided",
    ),
    (
        "[effects]\ncritical = 'note'",
        "error: effects.critical: is note: a failure that makes the release unusable never",
    ),
    (
        "[effects.config]\ncritical = 'note'",
        "error: effects.config.critical: is note: a failure that makes the release unusable never holds",
    ),
    (
        "[effects]\nmajor = 'note'\nminor = 'hold'",
        "error: effects.minor: is hold, and major note: the lesser failure weighs more",
    ),
    (
        "[effects.latency]\ncritical = 'hold'\nmajor = 'rollback'",
        "error: effects.latency.major: is rollback, and critical hold: the lesser failure weighs more",
    ),
    # Rollbacks that are never called for.
    (
        ROLLBACK + "[effects]\ncritical = 'hold'",
        "error: rollback.requires: says what a rollback takes, and no effect is rollback",
    ),
    (
        "[rollback.latency]\nrequires = ['latency/calibrated']\n[effects]\ncritical = 'hold'",
        "error: rollback.latency: says what its rollbacks take, and no effect is rollback",
    ),
    (
        "[triggers]\nrollback = []",
        "error: triggers.rollback: is empty, and 8 effects are rollback: nothing ever rolls back",
    ),
    (
        "[triggers]\nrollback = ['health']\n[rollback.latency]\nrequires = ['latency/calibrated']",
        "error: rollback.latency: says what its rollbacks take, and triggers.rollback has no latency",
    ),
    (
        "[triggers]\nrollback = ['other']",
        "warning: triggers.rollback: is other alone: health, error-rate, latency are what",
    ),
    ("[rollback]\nrequires = []", "warning: rollback.requires: is empty: it may be taken back to nothing"),
    # Demands that contradict.
    (
        "environment = 'staging'",
        "error: environment: is staging in a policy called bad: asked with --env=bad, it always holds",
    ),
    ("environment = ''", "warning: environment: is not said, so evidence about any promotes"),
    (
        "[evidence]\nrelease = 'any'\ndigests = 'same'",
        "error: evidence.release: is 'any' beside evidence.digests = 'same': images are those of one release",
    ),
    (
        "[required.foreign]",
        "warning: required.foreign: needs reports of others, which tell no identity, and evidence.identity = 'requ",
    ),
    (
        "[promotion]\nafter = ['bad']",
        "error: promotion.after: has bad itself, which can never have promoted before: it always holds",
    ),
    ("[approval]\nrequired = true", "warning: approval.minimum: is 1, and people listed are 0: it always holds"),
    (
        "[approval]\nrequired = true\nminimum = 2\n" + PERSON,
        "error: approval.minimum: is 2, and people listed are 1: it always holds",
    ),
    (PERSON, "error: approval.identities: says who may approve, and approval.required = false asks nobody"),
    ("[approval]\nrequired = true\n" + PERSON * 2, "error: approval.identities: lists somebody twice"),
    # What cannot even be read.
    ("enviroment = 'x'", "error: enviroment: unknown key; did you mean environment?"),
    ("[budgets]\ninconclusive = -1", "error: budgets.inconclusive: expected a whole number, at least 0; seen '-1'"),
    ("not toml", "error: not readable as TOML: Expected '=' after a key"),
]
FOR_PRODUCTION = [
    (SMOKE, "warning: approval.required: is not asked for production: nobody agrees to a promotion"),
    ("[evidence]\nidentity = 'optional'", "error: evidence.identity: is 'optional' for production: evidence about"),
    ("[evidence]\nrelease = 'any'", "error: evidence.release: is 'any' for production: evidence about something else"),
    ("[evidence]\nmax_age = 'any'", "error: evidence.max_age: is any for production: old evidence promotes"),
    ("[evidence]\nmax_age = '2d'", "error: evidence.max_age: is 2d for production: old evidence promotes"),
    ("required = {}", "error: required: requires no suite, so one check that passes promotes"),
    (
        SMOKE + "[budgets]\ninconclusive = 1",
        "warning: budgets.inconclusive: is 1 for production: what could not be decided promotes",
    ),
]


@pytest.fixture
def policies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "fixtures" / "policies"
    folder.mkdir(parents=True)
    return folder


def linted(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    code = cli.main(["policy", "lint", NOW, *words])
    return code, capsys.readouterr().out.splitlines()


def _whole(text: str, name: str) -> str:
    """The bad part, with what else a policy of that name needs to be clean."""
    rest = text if "environment" in text.partition("[")[0] or "not toml" in text else f"environment = '{name}'\n{text}"
    if "required" not in text.partition("'")[0] and "[required" not in text and "not toml" not in text:
        rest += "\n" + SMOKE
    return rest if "[rollback]" in text or "not toml" in text or "critical = 'hold'" in text else rest + "\n" + ROLLBACK


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [*(("bad", text, line) for text, line in BAD), *(("production", text, line) for text, line in FOR_PRODUCTION)],
)
def test_bad(name: str, text: str, line: str, policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policies / f"{name}.toml").write_text(_whole(text, name))
    code, lines = linted(capsys, name)
    found = [told for told in lines if told.startswith(f"fixtures/policies/{name}.toml: {line}")]
    assert len(found) == 1, lines
    assert code == (10 if any(": error: " in told for told in lines) else 0)
    if line.startswith("error"):
        assert code == 10


def test_there_are_many() -> None:
    assert len(BAD) + len(FOR_PRODUCTION) >= 50


def test_what_ships_is_clean(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPOSITORY)
    code, lines = linted(capsys)
    assert code == 0
    assert [line for line in lines if ": error: " in line] == []


def test_against_the_plan_of_a_run(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good().write(Path("reports"))
    (policies / "demo.toml").write_text(
        "environment = 'demo'\ndry_run = ['smoke/dns']\n[required.smoke]\nminimum = 5\n[required.latency]\n"
        "[budgets]\ninconclusive = 0\n[manifest]\nexpected = ['smoke/tls', 'smoke/tcp']\n"
        "[rollback]\nrequires = ['rollback/history', 'rollout/restarts']\n"
    )
    code, lines = linted(capsys, "demo", "--plan=reports")
    assert code == 10
    assert [line.removeprefix("fixtures/policies/demo.toml: ") for line in lines[:-1]] == [
        "error: manifest.expected: smoke/tls is of nothing that the run planned: it always holds",
        "error: required.smoke.minimum: is 5, and the run planned 4 that can count: it always holds",
        "error: rollback.requires: rollout/restarts is of nothing that the run planned: nothing ever rolls back",
        "warning: dry_run: smoke/dns is of nothing that the run planned",
    ]
    assert lines[-1] == "1 policy, 3 errors, 1 warning"


def test_a_plan_that_is_none(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policies / "demo.toml").write_text("environment = 'demo'\n" + SMOKE)
    assert cli.main(["policy", "lint", "demo", "--plan=nowhere"]) == 2
    assert "--plan: nowhere says of no run what it planned" in capsys.readouterr().err


def test_as_json(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (policies / "bad.toml").write_text("environment = 'bad'\ndry_run = ['smoke/redy']\n" + SMOKE + ROLLBACK)
    assert cli.main(["policy", "lint", NOW, "--json", "bad"]) == 10
    assert json.loads(capsys.readouterr().out) == {
        "policies": ["fixtures/policies/bad.toml"],
        "findings": [
            {
                "policy": "fixtures/policies/bad.toml",
                "level": "error",
                "key": "dry_run",
                "message": "smoke/redy is no check of seatrial; did you mean smoke/ready?",
            }
        ],
    }


def test_a_name_of_none_is_wrong_use(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["policy", "lint", "nobody"]) == 2
    assert "there is no policy 'nobody'" in capsys.readouterr().err


def test_a_path_is_linted(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("elsewhere.toml").write_text("environment = 'demo'\n" + SMOKE + ROLLBACK)
    assert linted(capsys, "elsewhere.toml") == (0, ["1 policy, 0 errors, 0 warnings"])


def test_what_is_known_is_what_ships() -> None:
    path = REPOSITORY / "verification" / "seatrial" / "gate" / "known_checks.json"
    assert path.read_text(encoding="utf-8") == known_checks(), "run make docs"
    assert json.loads(path.read_text())["smoke/ready"] == "smoke"


def test_days_are_those_of_now(policies: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tomorrow = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=1)
    (policies / "x.toml").write_text(
        "environment = 'x'\n" + SMOKE + ROLLBACK + waiver("smoke/dns", tomorrow.isoformat())
    )
    assert cli.main(["policy", "lint", "x"]) == 0
    assert "warning: waivers[1]: smoke/dns is over after" in capsys.readouterr().out


def test_the_template_of_production_says_what_to_add(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(REPOSITORY)
    template = REPOSITORY / "fixtures" / "policies" / "production.toml"
    assert cli.main(["policy", "lint", str(template)]) == 0
    told = capsys.readouterr().out
    assert "warning: approval.minimum: is 1, and people listed are 0: it always holds; add 1 more as " in told
    # What it says to run prints what makes it whole.
    assert "`seatrial approve keygen FILE.pem --identity NAME`" in told
    assert cli.main(["approve", "keygen", str(tmp_path / "key.pem"), "--identity", "alice"]) == 0
    lines = capsys.readouterr().out.partition("\n\n")[2]
    (tmp_path / "production.toml").write_text(template.read_text() + lines)
    assert cli.main(["policy", "lint", str(tmp_path / "production.toml")]) == 0
    assert capsys.readouterr().out == "1 policy, 0 errors, 0 warnings\n"
