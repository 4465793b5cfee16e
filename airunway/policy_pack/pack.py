"""Serves policies to Pulumi's engine; the only module that imports Pulumi's policy SDK.

`airunway policy pack` writes the program that calls ``serve_policies``.
"""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE, UnknownValueError

from airunway.assessment.finding import Severity
from airunway.assessment.policy_definition import Policy
from airunway.policy_pack.judgement import JudgedStack, NotYetKnown
from airunway.policy_pack.pack_folder import OBJECTS_POLICY, SILENT_POLICY, read_policies
from airunway.policy_pack.registered import Registered, judged_deployments, stray_model
from airunway.program.type_token import MODEL_DEPLOYMENT
from airunway.text.placeholders import UNKNOWN
from airunway.text.problems import InputError
from providers import PROVIDERS

_LEVELS = {Severity.MANDATORY: EnforcementLevel.MANDATORY, Severity.ADVISORY: EnforcementLevel.ADVISORY}


def serve_policies(folder: str, name: str, files: Sequence[str]) -> None:
    """Serve the policies in ``files`` of ``folder`` as the pack ``name`` until the engine ends it.

    ``folder`` may be a file in it, such as ``__file__``. Exits with 1 and every problem of the files.
    """
    path = Path(folder)
    try:
        policies = read_policies(path if path.is_dir() else path.parent, files)
    except InputError as error:
        pulumi.log.error(str(error))  # without a traceback
        sys.exit(1)
    PolicyPack(name, pack_policies(policies))


def pack_policies(policies: Sequence[Policy]) -> list[ResourceValidationPolicy | StackValidationPolicy]:
    """The policies as Pulumi's, and two that let no model pass which policies can't see."""
    stack = _Stack()
    return [
        ResourceValidationPolicy(
            OBJECTS_POLICY,
            "every object that serves a model is of a ModelDeployment component of airunway",
            stack.see,
            EnforcementLevel.MANDATORY,
        ),
        StackValidationPolicy(
            SILENT_POLICY,
            "every ModelDeployment says what policies judge",
            stack.find_silent,
            EnforcementLevel.MANDATORY,
        ),
        *(
            StackValidationPolicy(policy.name, policy.message, stack.validation(policy), _LEVELS[policy.severity])
            for policy in policies
        ),
    ]


class _Stack:
    """The resources of the stack that the engine registers: their inputs come first, their outputs at the end."""

    def __init__(self) -> None:
        self._inputs: dict[str, Mapping[str, Any]] = {}
        self._last: tuple[Any, JudgedStack | None] = (None, None)

    def see(self, args: ResourceValidationArgs, report: ReportViolation) -> None:
        """Remember a resource's inputs, and report an object that policies can't see."""
        inputs = _plain(args.props)
        self._inputs[args.urn] = inputs
        if message := stray_model(Registered(args.urn, args.resource_type, args.opts.parent or "", inputs), PROVIDERS):
            report(message)

    def find_silent(self, args: StackValidationArgs, report: ReportViolation) -> None:
        """Report each ModelDeployment that says nothing."""
        for urn in judged_deployments(self._registered(args))[1]:
            report("it says nothing: its airunway is older than the pack's", urn)

    def validation(self, policy: Policy) -> Any:
        """The function that judges the whole stack by one policy."""

        def validate(args: StackValidationArgs, report: ReportViolation) -> Any:
            judged = self._judged(args)
            if judged is None:
                return args.not_applicable("the stack has no ModelDeployment")  # raises
            unknown = []
            for found in judged.judge(policy):
                if isinstance(found, NotYetKnown):
                    unknown.append(found.field)
                else:
                    report(found.reason, found.urn)
            if unknown:  # told as advice: the update judges it
                raise UnknownValueError(UNKNOWN_STRING_VALUE, [unknown[0]])
            return None

        return validate

    def _judged(self, args: StackValidationArgs) -> JudgedStack | None:
        """The stack, which each policy is handed anew; None if it has no deployment."""
        registered = self._registered(args)
        last, judged = self._last
        if registered != last:
            deployments, _ = judged_deployments(registered)
            judged = JudgedStack(deployments) if deployments else None
            self._last = registered, judged
        return judged

    def _registered(self, args: StackValidationArgs) -> list[Registered]:
        return [
            Registered(
                resource.urn,
                resource.resource_type,
                resource.parent.urn if resource.parent else "",
                # An update of other resources alone registers this one without its inputs.
                self._inputs.get(resource.urn) or _plain(resource.props),
                _plain(resource.props) if resource.resource_type == MODEL_DEPLOYMENT else {},
            )
            for resource in args.resources
        ]


def _plain(value: Any) -> Any:
    """Plain data of what the engine hands over: reading an unknown value raises, and every number is a float."""
    if isinstance(value, Mapping):
        return {key: _plain(_read(value, key)) for key in value}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(_read(value, index)) for index in range(len(value))]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _read(container: Any, key: Any) -> Any:
    try:
        return container[key]
    except UnknownValueError:
        return UNKNOWN
