"""An assessment in words, the same in every format; made from the JSON of a preview."""

from collections.abc import Iterator, Mapping
from typing import Any

from airunway.report.model_and_gpus import count_range
from airunway.text.byte_sizes import gib

UNKNOWN = "unknown"


def gpus_text(gpus: list[Any]) -> str:
    """GPUs by kind, such as ``4 × NVIDIA-H100-80GB-HBM3``."""
    return ", ".join(f"{count_range(count)} × {count['kind']}" for count in gpus) or "–"


def cost_text(cost: Any, currency: str) -> str:
    """A cost per month, such as ``$9,344``."""
    if cost is None:
        return UNKNOWN
    least, most = (money(cost[side], currency) for side in ("least", "most"))
    return least if least == most else f"{least}–{most}"


def money(amount: float, currency: str) -> str:
    """An amount with its currency: ``$7,200``, ``EUR 7,200``."""
    blank = "" if len(currency) == 1 else " "
    return f"{'-' if round(amount) < 0 else ''}{currency}{blank}{abs(round(amount)):,}"


def pool_sentence(pool: Mapping[str, Any]) -> str:
    """How much of a node pool is asked for."""
    asked, others = pool["asked"], pool["askedByOthers"]
    beside = f" and {others} by other stacks" if others else ""
    return f"{pool['name']}: {asked} of {count_range(pool['gpus'])} × {pool['product']} asked for{beside}"


def findings_by_severity(document: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """The findings of a preview in words: those that stop an update, and the others."""
    findings = document.get("assessment", {}).get("findings", [])
    mandatory = [f for f in findings if f["severity"] == "mandatory"]
    advisory = [f for f in findings if f["severity"] != "mandatory"]
    return list(map(finding_sentence, mandatory)), list(map(finding_sentence, advisory))


def finding_sentence(finding: Mapping[str, Any]) -> str:
    """A finding with its deployment."""
    return f"{finding['deployment']}: {finding['message']}" if finding["deployment"] else str(finding["message"])


def total_sentence(assessment: Mapping[str, Any]) -> str:
    """What the whole stack costs."""
    if assessment["cost"] is None:
        return "cost of the stack: unknown, as a price is missing or something has no place"
    return f"cost of the stack: {cost_text(assessment['cost'], assessment['currency'])} a month"


def deployment_rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str]]:
    """Name, GPUs, node pools and cost of each deployment on GPUs of a preview that was assessed."""
    currency = document.get("assessment", {}).get("currency", "")
    for deployment in document["deployments"]:
        known = deployment.get("assessment")
        if known is not None and known["gpus"]:
            pools = ", ".join(known["pools"]) or "–"
            yield deployment["name"], gpus_text(known["gpus"]), pools, cost_text(known["cost"], currency)


MEMORY_COLUMNS = ("deployment", "GPU memory", "weights", "cache (tokens)", "about free", "longest context")


def memory_rows(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, str, str, str]]:
    """What the model of each deployment takes of each worker's GPUs, by ``MEMORY_COLUMNS``."""
    for name, use in memory_by_name(document):
        worker = f"{name} ({use['role']})" if use["role"] else name
        memory = f"{gib(use['usable'])} of {use['gpus']} GPU{'' if use['gpus'] == 1 else 's'}"
        yield worker, memory, gib(use["weights"]), *_cache_cells(use)


def memory_by_name(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The memory of each group of workers, with the name of their deployment."""
    for deployment in document["deployments"]:
        for use in deployment.get("assessment", {}).get("memory", ()):
            yield deployment["name"], use


def _cache_cells(use: Mapping[str, Any]) -> tuple[str, str, str]:
    if use["cache"] is None:
        return UNKNOWN, UNKNOWN, UNKNOWN
    return f"{gib(use['cache'])} ({use['context']:,})", gib(use["free"]), f"{use['longest']:,}"


def memory_sentence(use: Mapping[str, Any]) -> str:
    """What the model takes of the GPUs of each worker of a role, and the longest context that fits."""
    worker = f"each {use['role'] or 'worker'}: "
    if use["cache"] is None:
        return f"{worker}weights {gib(use['weights'])} of {gib(use['usable'])}"
    cache = f"cache of {use['context']:,} tokens {gib(use['cache'])}"
    left = f"about {gib(use['free'])} free, longest context about {use['longest']:,} tokens"
    if use["free"] < 0:
        left = f"about {gib(-use['free'])} too much" + (
            f", longest context about {use['longest']:,} tokens" if use["longest"] else ""
        )
    return f"{worker}weights {gib(use['weights'])} and {cache} of {gib(use['usable'])}; {left}"
