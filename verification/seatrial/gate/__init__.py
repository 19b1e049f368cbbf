"""Reports and a policy in, a decision out: promote, hold or rollback. Imports no pytest and touches no network.

From Python::

    decision = gate.decide(gate.read([Path("reports/latest")]), gate.load_policy(path), gate.Question(now=now))
"""

from seatrial.gate.cause import Cause, Kind, Reason
from seatrial.gate.collection import read
from seatrial.gate.decision import Decision, SuiteCount, Verdict, decide
from seatrial.gate.evidence import GateCase, Problem, Reading
from seatrial.gate.policy import Policy
from seatrial.gate.policy_file import PolicyProblem
from seatrial.gate.policy_file import load as load_policy
from seatrial.gate.question import Question
from seatrial.gate.record import document, dumps

__all__ = [
    "Cause",
    "Decision",
    "GateCase",
    "Kind",
    "Policy",
    "PolicyProblem",
    "Problem",
    "Question",
    "Reading",
    "Reason",
    "SuiteCount",
    "Verdict",
    "decide",
    "document",
    "dumps",
    "load_policy",
    "read",
]
