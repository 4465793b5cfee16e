"""Tests policies: plans what each case describes, and says whether it violates its policy as the case has it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from airunway.assessment.finding import Concern
from airunway.assessment.model_lock import LOCK_FILE, ModelLock
from airunway.assessment.policy_case import PolicyCase
from airunway.assessment.policy_definition import Policy
from airunway.planning.assess import assess
from airunway.planning.entries import parse_entries
from airunway.planning.files import Files
from airunway.planning.list_files import located_elements
from airunway.planning.plan import parse_settings, plan_stack
from airunway.provider.provider_set import Providers
from airunway.text.problems import InputError, Problem, suggest_name

_STACK = {"cluster": {"context": "any"}}


@dataclass(frozen=True)
class CaseResult:
    """What became of a case; ``messages`` are those of its policy's violations."""

    case: PolicyCase
    messages: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether the policy is violated just where the case says so."""
        return bool(self.messages) == self.case.violated


def cases_in(text: str, file: str, policies: Sequence[Policy]) -> list[tuple[str, PolicyCase]]:
    """The cases of one file, with their locations. Raises ``InputError``."""
    names = [policy.name for policy in policies]
    cases, problems = located_elements(parse_entries(text, file, "policies"), file, PolicyCase)
    problems += [
        Problem(f"{location}.policy", f"no policy '{case.policy}'; {suggest_name(case.policy, names)}")
        for location, case in cases
        if case.policy not in names
    ]
    if problems:
        raise InputError(problems)
    return cases


def run_cases(
    cases: Sequence[tuple[str, PolicyCase]], policies: Sequence[Policy], providers: Providers
) -> Iterator[CaseResult]:
    """Run each case. Raises ``InputError`` with the problems of all cases that can't be planned."""
    definitions = {policy.name: policy for policy in policies}
    problems: list[Problem] = []
    for location, case in cases:
        try:
            yield CaseResult(case, tuple(_violations(case, definitions[case.policy], providers)))
        except InputError as error:
            problems += [problem.under(location) for problem in error.problems]
    if problems:
        raise InputError(problems)


def _violations(case: PolicyCase, policy: Policy, providers: Providers) -> Iterator[str]:
    own = {"deployments": case.entries, "policies": [policy.model_dump(mode="json", by_alias=True)]}
    lock = ModelLock(models=case.lock, images=case.images).model_dump(mode="json", by_alias=True)
    files = Files(texts={LOCK_FILE: json.dumps(lock)} if case.lock or case.images else {})
    plan = plan_stack(parse_settings(_STACK | case.settings | own), files, providers)
    for finding in assess(plan).findings:
        if finding.concern is Concern.POLICY:
            yield str(finding)
