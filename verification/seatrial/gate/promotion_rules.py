"""The sections of a policy about what follows a good look: approvals, the environments before, the log, and acting."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from seatrial.gate.section import AGE, Section, Span


class Identity(Section, frozen=True):
    """`[[approval.identities]]`: somebody who may approve."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="how the person is called in approvals")]
    key: Annotated[
        str,
        Meta(
            min_length=1,
            description="public Ed25519 key as `seatrial approve keygen` prints it, or a `.pem` file beside the policy",
        ),
    ]
    accounts: Annotated[
        tuple[str, ...],
        Meta(description="names under which pipelines know the same person: who deploys may not approve"),
    ] = ()


class ApprovalRules(Section, frozen=True):
    """`[approval]`: whether people must agree before a release is promoted."""

    required: Annotated[bool, Meta(description="whether a promotion needs approvals")] = False
    minimum: Annotated[int, Meta(ge=1, description="different people who must have approved")] = 1
    max_age: Annotated[Span, Meta(description="from the approval to the decision")] = "4h"
    identities: Annotated[tuple[Identity, ...], Meta(description="who may approve, a table each")] = ()


class PromotionRules(Section, frozen=True):
    """`[promotion]`: the environments in which the same release must have been promoted before."""

    after: Annotated[tuple[str, ...], Meta(description="names of those environments")] = ()
    max_age: Annotated[str, Meta(pattern=AGE, description="from their decisions to this one, or `any`")] = "7d"
    same: Annotated[
        Literal["digests", "release"],
        Meta(description="what must be the same: the image digests and the version, or the version alone"),
    ] = "digests"


class AuditRules(Section, frozen=True):
    """`[audit]`: where decisions are logged. `--audit` says otherwise."""

    log: Annotated[str, Meta(description="the log's file, from where the gate is run")] = ""


class ActingRules(Section, frozen=True):
    """`[acting]`: what `--execute` runs. Commands are lists of words, and no shell sees them."""

    promote: Annotated[tuple[str, ...], Meta(description="the single command that promotes")] = ()
    rollback: Annotated[tuple[str, ...], Meta(description="the single command that takes the release back")] = ()
    verify: Annotated[tuple[str, ...], Meta(description="what looks afterwards whether it worked")] = ()
    timeout: Annotated[Span, Meta(description="longest time that each of them may take")] = "10m"
    objective: Annotated[
        str, Meta(pattern=AGE, description="longest time from the decision until what looks says that it worked")
    ] = "any"
    redact_env: Annotated[
        tuple[str, ...], Meta(description="environment variables whose values are kept out of what is written down")
    ] = ()
