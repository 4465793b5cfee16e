"""A preview in a file, as ``airunway preview --format json`` writes it, with what a comparison reads of it."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from airunway.program.type_token import kind_of
from airunway.provider.live_object import shape_problem
from airunway.text.bounded_files import MAX_PREVIEW, UnreadableFileError, read_text_file
from airunway.text.json_reading import read_json
from airunway.text.problems import InputError, Problem, dotted_field


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", strict=True)


class _Rule(_Part):
    condition: str
    priority: int


class _Candidate(_Part):
    provider: str
    eligible: bool
    priority: int | None
    why: str


class _Cost(_Part):
    least: float
    most: float


class _Count(_Part):
    least: int
    most: int


class _GpuCount(_Count):
    kind: str


class _MemoryUse(_Part):
    role: str
    product: str
    gpus: int
    bytes: int
    usable: int
    weights: int
    cache: int | None
    context: int | None
    free: int | None
    longest: int | None


class _DeploymentAssessment(_Part):
    gpus: list[_GpuCount]
    pools: dict[str, int]
    cost: _Cost | None
    memory: list[_MemoryUse] = Field([])


class _Model(_Part):
    id: str
    revision: str | None = None
    bytes: int = 0


class _Deployment(_Part):
    name: str
    assessment: _DeploymentAssessment = Field(_DeploymentAssessment(gpus=[], pools={}, cost=None))
    model: _Model = Field(_Model(id=""))
    gpus: _Count | None = None
    delivery: str = ""
    engine: str
    provider: str
    rule: _Rule | None
    candidates: list[_Candidate]


class _Metadata(_Part):
    name: str
    namespace: str | None = None
    annotations: dict[str, Any] | None = None


class _Object(_Part):
    api_version: str
    kind: str
    metadata: _Metadata


class _Repository(_Part):
    repo: str | None = None


class _Release(_Part):
    name: str
    namespace: str
    chart: str
    version: str | None = None
    values: dict[str, Any] | None = None
    repository_opts: _Repository | None = None


class _Resource(_Part):
    urn: str
    type: str
    name: str
    parent: str
    dependencies: list[str]
    inputs: dict[str, Any]
    secrets: dict[str, str] = Field({})
    retained: bool = False
    aliases: list[str] = Field([])
    replacement_trigger: str = ""

    @model_validator(mode="after")
    def _check_inputs(self) -> "_Resource":
        shape = _Release if kind_of(self.type) == "Release" else _Object if _is_object(self.inputs) else None
        try:
            if shape is not None:
                shape.model_validate(self.inputs)
        except ValidationError as error:
            detail = error.errors(include_url=False, include_input=False)[0]
            raise ValueError(f"inputs.{dotted_field(detail['loc'])}: {detail['msg']}") from error
        return self


class _Pool(_Part):
    name: str
    product: str
    gpus: _Count
    asked: int
    asked_by_others: int


class _Finding(_Part):
    severity: str
    deployment: str
    message: str


class _Assessment(_Part):
    pools: list[_Pool]
    cost: _Cost | None
    currency: str
    findings: list[_Finding]


class _Preview(_Part):
    stack: str
    assessment: _Assessment = Field(_Assessment(pools=[], cost=None, currency="", findings=[]))
    deployments: list[_Deployment]
    resources: list[_Resource]


def saved_preview(path: Path) -> dict[str, Any]:
    """Load a preview that ``--format json`` saved to a file. Raises ``InputError``."""
    try:
        document = read_json(read_text_file(path, MAX_PREVIEW))
        _Preview.model_validate(document)
    except UnreadableFileError as error:
        raise InputError([Problem(str(path), str(error))]) from error
    except ValidationError as error:
        reason = f"is not a saved preview: {shape_problem(error)}; `airunway preview --format json` writes one"
        raise InputError([Problem(str(path), reason)]) from error
    except ValueError as error:
        raise InputError([Problem(str(path), f"is not a saved preview: {error}")]) from error
    return dict(document)


def _is_object(inputs: dict[str, Any]) -> bool:
    return {"apiVersion", "kind"} <= inputs.keys()
