"""Bad inputs of what a plan is assessed by: the lock of models, node pools, policies and their cases."""

import json
from random import Random

from tests.fuzz.made_input import BadInput
from tests.fuzz.mutations import changed, written
from tests.fuzz.valid_inputs import CASES, LOCK, POLICIES, POOLS, SETTINGS, stack_of


def assessed_file(random: Random) -> BadInput:
    """Of what a plan is assessed by; no finding ends the command."""
    name, value = random.choice((("stacks/models.lock.yaml", LOCK), ("pools.yaml", POOLS), ("policies.yaml", POLICIES)))
    settings = SETTINGS | {"nodePoolFiles": ["pools.yaml"], "policyFiles": ["policies.yaml"]}
    files = {
        "stacks/Pulumi.own.yaml": json.dumps(stack_of(settings)).encode(),
        "stacks/models.lock.yaml": json.dumps(LOCK).encode(),
        "pools.yaml": json.dumps(POOLS).encode(),
    }
    content = written(changed(value, random), random)
    return BadInput(f"assessed by {name}", ["explain", "cpu", "--stack", "own"], files | {name: content})


def policy_cases(random: Random) -> BadInput:
    name, value = random.choice((("policies.yaml", POLICIES), ("cases.yaml", CASES)))
    files = {"policies.yaml": json.dumps(POLICIES).encode(), "cases.yaml": json.dumps(CASES).encode()}
    arguments = ["policy", "test", "policies.yaml", "--cases", "cases.yaml"]
    return BadInput("policy cases", arguments, files | {name: written(changed(value, random), random)})
