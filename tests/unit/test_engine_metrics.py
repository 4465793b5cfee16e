"""Unit (what servers told, recorded in ``metrics``, each with the command and version that told it, and text as
Prometheus' Python client writes it): what a model server tells is read, and plotted from poll to poll.
"""

import json
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from airunway.console.metrics_page import HEIGHT, WIDTH, Poll, plots
from airunway.live.engine_metrics import Metrics, completed, metrics_note, read_metrics
from airunway.spec.model import Engine
from airunway.text.merge import merge_patch
from tests.unit.smallest_deployments import BASES, planned

RECORDED = Path(__file__).parent / "metrics"


def test_the_engines_of_a_server_are_added_up_and_the_fullest_cache_counts() -> None:
    registry = CollectorRegistry()
    running = Gauge("vllm:num_requests_running", "", ["model_name", "engine"], registry=registry)
    cache = Gauge("vllm:kv_cache_usage_perc", "", ["model_name", "engine"], registry=registry)
    tokens = Counter("vllm:generation_tokens", "", ["model_name", "engine"], registry=registry)
    for engine, requests, used in (("0", 3, 0.2), ("1", 4, 0.7)):
        running.labels("a{b} c", engine).set(requests)
        cache.labels("a{b} c", engine).set(used)
        tokens.labels("a{b} c", engine).inc(100)
    assert read_metrics(generate_latest(registry).decode()) == Metrics("vLLM", 7, None, 0.7, 200, None)


@pytest.mark.parametrize(
    ("recorded", "metrics"),
    [
        ("sglang", Metrics("SGLang", running=3, waiting=2, cache=0.25, generated=128, prompted=40, answered=1)),
        ("ray", Metrics("vLLM in Ray", running=3, waiting=2, cache=0.25, generated=128, prompted=40, answered=1)),
        ("dynamo-frontend", Metrics("Dynamo's frontend", running=0, waiting=0, generated=30, prompted=22, answered=1)),
        ("dynamo-worker", Metrics("vLLM", running=0, waiting=0, cache=0)),
        ("localai", Metrics("LocalAI", answered=2)),
    ],
)
def test_what_a_server_told_is_read(recorded: str, metrics: Metrics) -> None:
    assert read_metrics((RECORDED / f"{recorded}.txt").read_text()) == metrics


def test_llama_cpp_s_own_server_is_known() -> None:
    # As tools/server/server-task.cpp of the llama.cpp in llama-cpp-python 0.3.36 writes it: without labels.
    told = {"tokens_predicted_total": 16, "prompt_tokens_total": 5, "requests_processing": 1, "requests_deferred": 0}
    text = "".join(f"# TYPE llamacpp:{name} counter\nllamacpp:{name} {value}\n" for name, value in told.items())
    assert read_metrics(text) == Metrics("llama.cpp", running=1, waiting=0, generated=16, prompted=5)


def test_requests_for_other_things_than_the_model_are_not_counted() -> None:
    text = 'api_call_count{method="GET",path="/readyz"} 9\napi_call_count{method="POST",path="/embeddings"} 4\n'
    assert read_metrics(text) == Metrics("LocalAI", answered=0)


def test_a_frontend_that_tells_no_cache_is_completed_by_its_worker() -> None:
    front, work = (read_metrics((RECORDED / f"dynamo-{part}.txt").read_text()) for part in ("frontend", "worker"))
    assert completed(front, work) == Metrics("Dynamo's frontend and vLLM", 0, 0, 0, 30, 22, 1)
    assert completed(None, work) == work
    assert completed(front, None) == front
    assert completed(work, Metrics("vLLM", running=5)) == work, "a server that adds nothing is not named"


def test_what_an_engine_tells_only_if_it_is_asked_to_is_said_where_it_is_lacking() -> None:
    assert "--enable-metrics" in metrics_note(Engine.SGLANG, None)
    assert "--enable-metrics" in metrics_note(Engine.SGLANG, Metrics("Dynamo's frontend", 1, 1, None, 1, 1, 1))
    assert metrics_note(Engine.SGLANG, Metrics("SGLang", 1, 1, 0.5, 1, 1, 1)) == ""
    assert "LocalAI" in metrics_note(Engine.LLAMACPP, Metrics("LocalAI", answered=2))
    assert metrics_note(Engine.VLLM, None) == ""


def test_the_argument_that_is_named_for_sglang_reaches_its_workers() -> None:
    entry = merge_patch(BASES["dynamo-sglang-aggregated"], {"engine": {"extraArgs": ["--enable-metrics"]}})
    assert '"--enable-metrics"' in json.dumps(planned(entry).rendered.resource)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "go_goroutines 7\n",
        *(f"vllm:num_requests_running{rest}\n" for rest in ("", "{ 1", " NaN", " +Inf", " x")),
    ],
)
def test_what_is_not_known_is_none(text: str) -> None:
    assert read_metrics(text) is None


@given(st.text(st.sampled_from('vllm:num_requests_running{}="\\, \n1.e+#x'), max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    read_metrics(f"vllm:num_requests_running{text}")


def test_a_rate_is_what_was_added_between_two_polls() -> None:
    polls = [Poll(10.0, Metrics("vLLM", generated=1000)), Poll(15.0, Metrics("vLLM", generated=1500))]
    assert [plot.label for plot in plots(polls[:1])] == []
    (plot,) = plots(polls)
    assert (plot.label, plot.now, plot.most) == ("Tokens/s written", "100", "100")


def test_two_polls_at_once_give_no_rate() -> None:
    assert plots([Poll(at, Metrics("vLLM", generated=at)) for at in (1.0, 1.0, 1.0 + 1e-9)]) == []


def test_a_server_that_began_again_has_no_rate_until_the_next_poll() -> None:
    counts = (1000, 1500, 20, 70)
    (plot,) = plots([Poll(5.0 * at, Metrics("vLLM", generated=count)) for at, count in enumerate(counts)])
    assert (plot.now, plot.most) == ("10", "100")
    assert len(plot.lines) == 2, "the gap is not drawn"


def test_a_value_that_is_no_longer_told_is_a_dash() -> None:
    (plot,) = plots([Poll(0.0, Metrics("vLLM", running=4)), Poll(5.0, Metrics("vLLM"))])
    assert (plot.now, plot.most) == ("–", "4")


def test_a_cache_is_drawn_on_the_scale_of_all_of_it() -> None:
    (plot,) = plots([Poll(0.0, Metrics("vLLM", cache=0.5)), Poll(5.0, Metrics("vLLM", cache=1.0))])
    assert (plot.now, plot.lines) == ("100%", (f"0.0,{HEIGHT / 2:.1f} {WIDTH}.0,2.0",))


@example([(0.0, 0.0), (6.758538659818206e-305, 12150.0)])
@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 1e12)), max_size=20))
def test_every_point_is_within_its_plot(told: list[tuple[float, float]]) -> None:
    polls = [Poll(at, Metrics("vLLM", running=value, generated=value)) for at, value in sorted(told)]
    for plot in plots(polls):
        for x, y in (point.split(",") for line in plot.areas for point in line.split()):
            assert 0 <= float(x) <= WIDTH
            assert 0 <= float(y) <= HEIGHT
