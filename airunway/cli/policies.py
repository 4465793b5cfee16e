"""`airunway policy test`; imported only when it runs."""

from collections.abc import Sequence

from airunway.assessment.policy_definition import Policy
from airunway.cli.streams import read_text
from airunway.planning.policies import policies_in
from airunway.planning.policy_cases import CaseResult, cases_in, run_cases
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console
from providers import PROVIDERS


def check_policies(policy_files: Sequence[str], case_files: Sequence[str]) -> bool:
    """Run the cases of policies and print what became of them; return whether one failed. Raises ``InputError``."""
    policies = [policy for file in policy_files for policy in policies_in(read_text(file), file)]
    if clashes := sorted({p.name for p in policies if [q.name for q in policies].count(p.name) > 1}):
        raise InputError([Problem(name, "is the name of two policies") for name in clashes])
    cases = [case for file in case_files for case in cases_in(read_text(file), file, policies)]
    results = list(run_cases(cases, policies, PROVIDERS))
    out = console()
    for result in results:
        out.print(_line(result), markup=False, soft_wrap=True)
    failed = [result for result in results if not result.passed]
    out.print(f"{len(results)} case{'s' * (len(results) != 1)}, {len(failed)} failed", markup=False)
    for note in _untested(policies, results):
        console(stderr=True).print(f"note: {note}", markup=False, soft_wrap=True)
    return bool(failed)


def _line(result: CaseResult) -> str:
    if result.passed:
        return f"ok      {result.case.title}"
    if result.messages:
        return f"FAILED  {result.case.title}: not to be violated, but {'; '.join(result.messages)}"
    return f"FAILED  {result.case.title}: to be violated, and is not"


def _untested(policies: Sequence[Policy], results: Sequence[CaseResult]) -> list[str]:
    """What no case shows: that a policy is violated, or that it is not."""
    notes = []
    for policy in policies:
        seen = {result.case.violated for result in results if result.case.policy == policy.name}
        if missing := [word for value, word in ((True, "violates"), (False, "keeps to")) if value not in seen]:
            notes.append(f"policy {policy.name}: no case {' or '.join(missing)} it")
    return notes
