"""`airunway policy test` and `airunway policy pack`; imported only when they run."""

import shlex
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from airunway.assessment.policy_definition import Policy
from airunway.cli.streams import read_text
from airunway.planning.policies import policies_of
from airunway.planning.policy_cases import CaseResult, cases_in, run_cases
from airunway.policy_pack.pack_folder import pack_files
from airunway.program.new_project import write_files
from airunway.text.problems import InputError, Problem
from airunway.text.terminal import console
from providers import PROVIDERS


def check_policies(policy_files: Sequence[str], case_files: Sequence[str]) -> bool:
    """Run the cases of policies and print what became of them; return whether one failed. Raises ``InputError``."""
    policies = policies_of({file: read_text(file) for file in policy_files})
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


def write_pack(folder: Path, policy_files: Sequence[str], name: str) -> None:
    """Write a policy pack and say how to use it. Raises ``InputError``, and then nothing is written."""
    names = {file: "policies.yaml" if file == "-" else Path(file).name for file in policy_files}
    counts = Counter(names[file] for file in policy_files)
    if clashes := [file for file, own in names.items() if counts[own] > 1]:
        raise InputError([Problem(file, "two files of one name can't be in a pack; rename one") for file in clashes])
    texts = {names[file]: read_text(file) for file in policy_files}
    out = console(stderr=True)
    for path in write_files(pack_files(folder, name, texts)):
        out.print(f"wrote {path}", markup=False, soft_wrap=True)
    quoted = shlex.quote(str(folder))
    out.print(f"Next: (cd {quoted} && pulumi install)", markup=False, soft_wrap=True)
    out.print(f"To use it: pulumi preview --policy-pack {quoted}", markup=False, soft_wrap=True)


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
