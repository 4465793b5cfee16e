"""Graph (command line, in process, against a model server that answers oddly): ``chat`` says in one clear line what is
wrong.
"""

import itertools
import json
import resource
import time
from pathlib import Path
from typing import Any

import pytest

from tests.command import run
from tests.deployments import CPU
from tests.graph.api_server import Answer, ApiServer
from tests.graph.live_commands import Commands
from tests.graph.projects import write_project


@pytest.fixture
def server(server: ApiServer) -> ApiServer:
    server.rules["/v1/models"] = Answer({"data": [{"id": "m"}]})
    return server


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Commands:
    return Commands(write_project(tmp_path, [CPU]), monkeypatch, capsys)


def stream(*chunks: Any) -> Answer:
    """Each of ``chunks`` as an event: data as JSON, or bytes as they are."""
    lines = [c if isinstance(c, bytes) else json.dumps(c).encode() for c in chunks]
    return Answer(b"".join(b"data: " + line + b"\n\n" for line in lines), kind="text/event-stream")


def chunk(delta: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta}]}


def asked(server: ApiServer, command: Commands, answer: Answer) -> str:
    server.rules["/v1/chat/completions"] = answer
    return command.refused("chat", "cpu", "hello", "--url", f"{server.url}/v1")


@pytest.mark.parametrize(
    ("chunks", "output"),
    [
        ([b"{bad"], "unreadable reply (JSONDecodeError)"),
        ([chunk({"content": "hi"}), b"{bad"], "unreadable reply (JSONDecodeError)"),
        ([b"\xff\xfe"], "unreadable reply (UnicodeDecodeError)"),
        ([b"[" * 100_000], "unreadable reply (RecursionError)"),
        ([{}], "a chunk has no choices"),
        ([{"choices": None}], "a chunk has no choices"),
        ([{"choices": "text"}], "a chunk has no choices"),
        ([[]], "a chunk has no choices"),
        ([None], "a chunk has no choices"),
        ([3], "a chunk has no choices"),
        ([{"choices": [{}]}], "a choice has no delta with text"),
        ([{"choices": [None]}], "a choice has no delta with text"),
        ([chunk(None)], "a choice has no delta with text"),
        ([chunk("text")], "a choice has no delta with text"),
        ([chunk({"content": 3})], "a choice has no delta with text"),
        ([chunk({"content": [{"text": "hi"}]})], "a choice has no delta with text"),
        ([], "its reply ends without text"),
        ([{"choices": []}], "its reply ends without text"),
        ([b"[DONE]"], "its reply ends without text"),
    ],
    ids=lambda value: repr(value)[:50],
)
def test_an_odd_stream_is_told(chunks: list[Any], output: str, server: ApiServer, command: Commands) -> None:
    message = asked(server, command, stream(*chunks))
    assert f"{server.url}/v1: does not follow the OpenAI API: {output}" in message


def test_an_error_in_the_stream_is_told_in_the_servers_words(server: ApiServer, command: Commands) -> None:
    assert "refused: out of\x1b memory".replace("\x1b", "") in asked(
        server, command, stream({"error": {"message": "out of\x1b memory"}})
    )


@pytest.mark.parametrize("body", [b"<html>hi</html>", b'{"choices": []}', b""], ids=str)
def test_what_is_no_stream_is_told(body: bytes, server: ApiServer, command: Commands) -> None:
    assert "its reply ends without text" in asked(server, command, Answer(body, kind="text/html"))


def test_a_refusal_is_told_with_its_code_in_one_line(server: ApiServer, command: Commands) -> None:
    assert "refused: Error code: 404" in asked(
        server, command, Answer(b"<html>\n\n<p>no\n</html>", 404, kind="text/html")
    )
    output = asked(server, command, Answer({"error": {"message": "no such\n\nmodel" + "x" * 5000}}, 400))
    assert "refused: Error code: 400" in output
    assert len(output) < 1200


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"<html>", kind="text/html"),
        Answer([]),
        Answer({}),
        Answer({"data": None}),
        Answer({"data": [{}]}),
        Answer({"data": [{"id": 3}]}),
    ],
    ids=lambda a: str(a.body),
)
def test_an_odd_list_of_models_is_told(answer: Answer, server: ApiServer, command: Commands) -> None:
    server.rules["/v1/models"] = answer
    output = command.refused("chat", "cpu", "hello", "--url", f"{server.url}/v1")
    assert "does not follow the OpenAI API: its list of models is invalid; give --model to name one" in output


def test_a_server_without_a_model_is_told(server: ApiServer, command: Commands) -> None:
    server.rules["/v1/models"] = Answer({"data": []})
    assert "serves no model (yet)" in command.refused("chat", "cpu", "hello", "--url", f"{server.url}/v1")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://[::1",
        "http://",
        "ftp://a.example",
        "127.0.0.1:8000/v1",
        "http://a:99999",
        "http://a:x/v1",
    ],
)
def test_an_address_that_is_none_is_told_at_once(url: str, command: Commands) -> None:
    output = command.refused("chat", "cpu", "hello", "--url", url)
    assert f"--url: '{url}' given, must be a base URL such as http://127.0.0.1:8000/v1" in output


@pytest.mark.parametrize("url", ["http://xn--/v1", "http://a b/v1", "http://a\\b", "http://127.0.0.1:1/v1"])
def test_a_server_that_can_not_be_reached_is_told(url: str, command: Commands) -> None:
    assert f"{url}: can't be reached" in command.refused("chat", "cpu", "hello", "--url", url)


@pytest.mark.parametrize(
    ("path", "slowly"), [("/v1/models", 5), ("/v1/chat/completions", 5), ("/v1/chat/completions", 0.05)]
)
def test_a_model_that_says_nothing_is_given_up(
    path: str, slowly: float, server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("airunway.live.chat._REPLY_SECONDS", 0.5)
    server.rules[path] = Answer(b": waiting\n" * 100, kind="text/event-stream", slowly=slowly)
    started = time.monotonic()
    assert "sent nothing for 0.5 seconds" in command.refused("chat", "cpu", "hello", "--url", f"{server.url}/v1")
    assert time.monotonic() - started < 3


def test_no_proxy_leads_to_this_machine(
    server: ApiServer, command: Commands, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    server.rules["/v1/chat/completions"] = stream(
        chunk({"role": "assistant"}), chunk({"content": "hi\x1b[31m"}), chunk({"content": None})
    )
    arguments = ["chat", "cpu", "hello", "--url", f"{server.url}/v1", "--stack", "own", "--cwd", str(command.project)]
    assert run(monkeypatch, *arguments) == 0
    assert capsys.readouterr().out == "hi[31m\n"


def endless(first: bytes, *pieces: bytes, kind: str = "text/event-stream", status: str = "200 OK") -> Answer:
    """A reply that goes on for as long as it is read."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\n\r\n".encode() + first
    return Answer(raw=lambda: itertools.chain([head], itertools.cycle(pieces)))


TOKENS = b"data: " + json.dumps(chunk({"content": "word " * 2000})).encode() + b"\n\n"
TOKEN = b"data: " + json.dumps(chunk({"content": "word "})).encode() + b"\n\n"
LONG, WIDE = "16,777,216 bytes, the most that is read", "a line has more than 1,048,576 bytes, the most that is read"
ENDLESS = {
    "tokens": (endless(b"", TOKENS), LONG),
    "comments": (endless(b"", b": waiting\n" * 1000), LONG),
    "lines of one event": (endless(b"", b"data: x\n" * 1000), LONG),
    "lines that end with a return": (endless(b"", b"data: x\r" * 1000), LONG),
    "a line": (endless(TOKEN + b"data: ", b"x" * 99_999), WIDE),
    "a line in small pieces": (endless(b"data: ", b"x" * 7), WIDE),
    "a name of a field": (endless(b"", b"x" * 99_999), WIDE),
    "a page": (endless(b"<html>", b"x\n" * 9_999, kind="text/html"), "1,048,576 bytes, the most that is read"),
    "a refusal": (endless(b"<html>", b"x\n" * 9_999, status="500 No"), "1,048,576 bytes, the most that is read"),
}


@pytest.mark.parametrize("name", ENDLESS)
def test_a_reply_without_end_is_given_up_at_the_limit(name: str, server: ApiServer, command: Commands) -> None:
    answer, output = ENDLESS[name]
    started, before = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = asked(server, command, answer)
    assert f"{server.url}/v1: does not follow the OpenAI API: " in message
    assert output in message
    assert time.monotonic() - started < 20
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


@pytest.mark.parametrize(
    ("answer", "output"),
    [
        (endless(b'{"data": [', b'{"id": "m"},' * 999, kind="application/json"), "1,048,576 bytes, the most that is"),
        (Answer({"data": [{"id": "m" * 2_000_000}]}), "1,048,576 bytes, the most that is read"),
        (Answer(b"x", headers={"Content-Encoding": "gzip"}), "its reply has the encoding 'gzip', must be none"),
        (Answer(b"x", headers={"Content-Encoding": "gzip, \x1b"}), "its reply has the encoding 'gzip, "),
    ],
    ids=["without end", "with a long name", "packed", "packed oddly"],
)
def test_a_list_of_models_that_is_too_long_or_packed_is_told(
    answer: Answer, output: str, server: ApiServer, command: Commands
) -> None:
    server.rules["/v1/models"] = answer
    message = command.refused("chat", "cpu", "hello", "--url", f"{server.url}/v1")
    assert f"{server.url}/v1: does not follow the OpenAI API: " in message
    assert output in message


def test_what_follows_the_end_of_a_reply_is_not_waited_for(
    server: ApiServer, command: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    server.rules["/v1/chat/completions"] = endless(TOKEN + b"data: [DONE]\n\n", b": more\n" * 1000)
    started = time.monotonic()
    arguments = ["chat", "cpu", "hello", "--url", f"{server.url}/v1", "--stack", "own", "--cwd", str(command.project)]
    assert run(command.monkeypatch, *arguments) == 0
    assert capsys.readouterr().out == "word \n"
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "pieces",
    [
        [b""],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n", TOKEN],
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"],
        [b"HTTP/1.1 200 OK\r\nA: " + b"a" * 999_999],
        [b"SSH-2.0-OpenSSH\r\n"],
        [b"HTTP/1.1 400 No\r\nContent-Length: 9999\r\n\r\n<html>"],
    ],
    ids=["closed", "cut", "no chunks", "long header", "another protocol", "a cut refusal"],
)
@pytest.mark.parametrize("reset", [False, True], ids=["", "reset"])
def test_a_broken_connection_is_told(pieces: list[bytes], reset: bool, server: ApiServer, command: Commands) -> None:
    assert f"{server.url}/v1: can't be reached: " in asked(server, command, Answer(raw=lambda: pieces, reset=reset))


HARD = {"content": "a\x00\x1b[31m\ud800\u202e" + "b" * 100_000}


def test_a_reply_of_hard_texts_is_printed_without_what_a_terminal_interprets(
    server: ApiServer, command: Commands, capsys: pytest.CaptureFixture[str]
) -> None:
    server.rules["/v1/chat/completions"] = stream(chunk(HARD))
    arguments = ["chat", "cpu", "hello", "--url", f"{server.url}/v1", "--stack", "own", "--cwd", str(command.project)]
    assert run(command.monkeypatch, *arguments) == 0
    assert capsys.readouterr().out == "a[31m" + "b" * 100_000 + "\n"


@pytest.mark.parametrize("model", ["\ud800", "\x00\x1b", "m" * 1_000_000], ids=["surrogate", "control", "long"])
def test_a_model_of_a_hard_name_is_told_or_asked(model: str, server: ApiServer, command: Commands) -> None:
    server.rules["/v1/models"] = Answer({"data": [{"id": model}]})
    output = asked(server, command, Answer({"error": {"message": model}}, 404))
    assert output.isprintable()
    assert len(output) < 1500


@pytest.mark.parametrize(
    ("variable", "value", "output"),
    [
        ("SSL_CERT_FILE", "nowhere.pem", "SSL_CERT_FILE: has no certificates that can be read: No such file"),
        ("HTTPS_PROXY", "socks5://a", "HTTPS_PROXY: only http and https proxies are supported"),
        ("ALL_PROXY", "ftp://a", "HTTPS_PROXY: only http and https proxies are supported"),
        ("HTTPS_PROXY", "a b", "https://a.invalid/v1: can't be reached: "),
        ("OPENAI_API_KEY", "a\nb", "OPENAI_API_KEY: has characters that are invalid in a header"),
        ("OPENAI_API_KEY", "\udcff", "OPENAI_API_KEY: has characters that are invalid in a header"),
        ("OPENAI_ORG_ID", "é", "OPENAI_ORG_ID: has characters that are invalid in a header"),
    ],
)
def test_an_environment_that_allows_for_no_request_is_told(
    variable: str, value: str, output: str, command: Commands
) -> None:
    command.monkeypatch.setenv(variable, value)
    assert output in command.refused("chat", "cpu", "hello", "--url", "https://a.invalid/v1")
