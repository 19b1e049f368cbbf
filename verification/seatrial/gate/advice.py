"""What a person does about a cause, in words: for those that no command answers, and for explanations."""

from __future__ import annotations

from typing import Final

ADVICE: Final = {
    "failed-checks": "mend the release and verify it again; or waive the check in the policy, with an owner",
    "shared-failures": "mend the environment, since stable fails as well; then verify again",
    "no-way-back": "see that there is a revision to go back to, then verify again; or mend the release forward",
    "uncalibrated": "calibrate, so that failures of that trigger can be believed; then verify again",
    "check-errors": "mend what kept the checks from looking, then run them again",
    "untrusted-report": "take the report from the run itself, unchanged, and leave out what is hostile",
    "unreadable-report": "see that the run left its reports where the gate looks, whole; then verify again",
    "no-report": "run the suites; the gate looked at files without a test case in them",
    "no-policy": "give --policy, or write fixtures/policies/NAME.toml for that environment",
    "no-identity": "write reports with seatrial's plugin, which says what they are about; or ask a policy with "
    "evidence.identity = 'optional'",
    "other-environment": "ask about the environment that was verified, with --env, or verify the one asked about",
    "other-release": "deploy the release that is asked about and verify it; or ask about the one that was verified",
    "no-release": "say which release is meant, with --release, here and in the run; see that /version tells it",
    "other-digests": "verify the images that are asked about: give every image of the release with --digest",
    "no-digests": "say the images in [release] digests of the environment, so that the run tells what it verified",
    "stale-evidence": "verify again: what was true then may not be true now; where it is in the future, set the clocks",
    "no-time": "verify again with reports that say when they were made",
    "no-calendar": "see that the calendar is there and whole, exported anew where it is not; then ask again",
    "frozen": "wait for the end of the freeze, then ask again; or change [[freeze]] in the policy, on the record",
    "frozen-whole": "wait for the end of the freeze, then ask again; or change [[freeze]] in the policy, on the record",
    "unfinished-run": "let the run end, or run it again",
    "no-plan": "keep evidence.json or JUnit with its properties, which say what was planned",
    "unplanned-checks": "put the checks back into the environment or the suite; or take them off [manifest] expected",
    "missing-checks": "run what is missing; a skip says what it lacked",
    "too-few-checks": "run the suite whole; or lower its minimum in the policy where there is no more to check",
    "nothing-passed": "run the suites against the track under test",
    "inconclusive-checks": "look longer or with more requests, as each check says, then ask again",
    "flaky-checks": "find out why the first attempt failed; or quarantine the check, or raise [budgets] flaky",
    "forbidden-waiver": "mend what failed, and take the waiver out of the policy",
    "expired-waiver": "mend what was waived, or have the waiver accepted anew with another last day",
    "no-promotion": "bring the release through the environments before, and give their decisions with --promoted",
    "void-approval": "have the evidence approved anew, by somebody who may, and give that approval",
    "no-approval": "have somebody who does not deploy run seatrial approve; then ask again with --approval",
    "no-deployer": "say who deploys, with --actor, or let the pipeline's variable say it",
    "expired-quarantine": "mend the unreliable check, or have the quarantine accepted anew with another last day",
}
"""By the code of a reason that may hold or roll back."""

UNKNOWN: Final = "see what the cause says, then ask again"
"""Of a decision that a newer release has written."""


TAKE_BACK: Final = "take the release back, then mend it and verify it again"


def of(code: str, effect: str = "hold") -> str:
    """What to do about a cause of this code."""
    if effect == "rollback":
        return TAKE_BACK
    return ADVICE.get(code, UNKNOWN)
