"""The engine flags that a deployment writes, in either place."""

from collections.abc import Iterator

from airunway.spec.model import ModelDeploymentSpec


def written_flags(spec: ModelDeploymentSpec) -> Iterator[tuple[str, str, str]]:
    """Field, name with dashes, and value of each flag in ``engine.args`` and ``engine.extraArgs``; none is empty text.

    In ``engine.extraArgs`` the value may be the next argument.
    """
    yield from ((f"engine.args.{name}", name.replace("_", "-"), value) for name, value in spec.engine.args.items())
    arguments = spec.engine.extra_args
    for index, argument in enumerate(arguments):
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument.startswith("--"):
            following = "".join(arguments[index + 1 : index + 2])
            follows = not equals and not following.startswith("-")
            yield f"engine.extraArgs[{index}]", name.replace("_", "-"), following if follows else value
