"""Runs in the interpreter of ``AIRUNWAY_VLLM_PYTHON``: vLLM's own parser of ``vllm serve``, asked by lines of JSON.

First it says its release, its switches and its flags with a value. Then each line is the arguments of one command line,
and is answered with what they parse to, or with why they don't. Without a GPU, vLLM has to be told which platform it is
on; the parser of a release is the same on all of them.
"""

import argparse
import contextlib
import io
import json
import sys
from importlib.metadata import version


def main() -> None:
    with contextlib.redirect_stdout(sys.stderr):
        import vllm.platforms as platforms  # type: ignore[import-not-found,unused-ignore]
        from vllm.platforms.cpu import CpuPlatform  # type: ignore[import-not-found,unused-ignore]

        platforms.current_platform = CpuPlatform()
        from vllm.entrypoints.cli.serve import ServeSubcommand  # type: ignore[import-not-found,unused-ignore]
        from vllm.utils.argparse_utils import FlexibleArgumentParser  # type: ignore[import-not-found,unused-ignore]

        root = FlexibleArgumentParser(prog="vllm")
        command = ServeSubcommand()
        serve = command.subparser_init(root.add_subparsers(required=True, dest="subparser"))
    flags = [
        (name.removeprefix("--"), action.nargs)
        for action in serve._actions
        for name in action.option_strings
        if name[:2] == "--"
    ]
    switches = sorted(name for name, nargs in flags if nargs == 0 and name != "help")
    values = sorted(name for name, nargs in flags if nargs != 0)
    print(json.dumps({"release": version("vllm"), "switches": switches, "values": values}), flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(root, command, json.loads(line)), default=str), flush=True)


def answer(root: argparse.ArgumentParser, command: object, words: list[str]) -> dict[str, object]:
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            parsed = root.parse_args(["serve", *words])
            command.validate(parsed)  # type: ignore[attr-defined]
    except (SystemExit, Exception) as error:
        return {"error": f"{said.getvalue()}{error}"}
    return {key: value for key, value in vars(parsed).items() if key not in ("dispatch_function", "subparser")}


if __name__ == "__main__":
    main()
