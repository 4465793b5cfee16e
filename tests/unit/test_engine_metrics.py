"""Unit (text as Prometheus' Python client writes it, with the names of vllm 0.33.0 and ai-dynamo-runtime 1.6.1): what a
model server tells is read, and plotted from poll to poll.
"""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest

from airunway.console.metrics_page import HEIGHT, WIDTH, Poll, plots
from airunway.live.engine_metrics import Metrics, read_metrics


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


def test_a_frontend_of_dynamo_is_known() -> None:
    text = (
        "# TYPE dynamo_frontend_inflight_requests gauge\n"
        'dynamo_frontend_inflight_requests{model="qwen"} 2\n'
        'dynamo_frontend_output_tokens_total{model="qwen"} 512\n'
    )
    assert read_metrics(text) == Metrics("Dynamo's frontend", running=2, generated=512)


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
