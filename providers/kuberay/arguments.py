"""The user's arguments of vLLM's engine, checked against what Ray Serve LLM accepts; known from ``flags.yaml``."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from pydantic import Field

from airunway.provider.image_references import is_release
from airunway.provider.user_flags import user_flags
from airunway.provider.worker_flags import suggest_flag
from airunway.spec.model import Engine, ModelDeploymentSpec, StrictModel
from airunway.text.problems import Problem
from airunway.text.yaml_reading import load_data


class KnownArguments(StrictModel):
    """The arguments of one release of Ray Serve LLM, as flags without the dashes."""

    release: str = Field(description="The release that accepts them.")
    texts: list[str] = Field(description="Arguments whose value is text.")
    others: list[str] = Field(description="Arguments with other values.")
    serve: list[str] = Field(description="Ray Serve's own settings, which are no arguments of the engine.")
    instead: Mapping[str, str] = Field(description="Fields that stand for some of Ray Serve's settings.")
    refused: Mapping[str, str] = Field(description="Arguments that Ray Serve LLM refuses, with the reason.")


@cache
def known_arguments() -> KnownArguments:
    """What Ray Serve LLM accepts."""
    return KnownArguments.model_validate(load_data(Path(__file__).with_name("flags.yaml")))


def argument_problems(spec: ModelDeploymentSpec, image: str) -> Iterator[Problem]:
    """Arguments that can't be the engine's; unknown ones are refused if ``image`` is of the known release."""
    for user_flag in user_flags(Engine.VLLM, spec):
        message = _problem(user_flag.flag.name, image)
        if message:
            yield Problem(user_flag.field, f"provider kuberay can't honour this: {message}")


def _problem(name: str, image: str) -> str | None:
    known = known_arguments()
    if name == "served-model-name":
        return "set model.servedName instead"
    if "." in name:
        return "keyword arguments have no dotted names; set the whole value as JSON"
    if name in known.refused:
        return known.refused[name]
    if name in known.serve:
        field = known.instead.get(name)
        hint = f"set {field} instead" if field else "no field sets it yet"
        return f"{name} is a setting of Ray Serve, not of the engine, and {hint}"
    valid = {*known.texts, *known.others}
    if name.removeprefix("no-") in valid or not is_release(image, known.release):
        return None
    return f"Ray Serve LLM {known.release} knows no engine argument {name}; {suggest_flag(name, valid)}"
