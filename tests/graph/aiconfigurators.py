"""Stands in for the command ``aiconfigurator`` 0.12.0: a script that says and writes what a run of the real one did.

The tables are those of tests/unit/sizing. What it says where it fails is in ``SAID``, word for word, with the
options of the run above it. ``tests/graph/test_aiconfigurator.py`` asks the real one.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from airunway.spec.model import Mode
from tests.unit.sized import table

_LOG = "03:11:15 [aiconfigurator]"
SAID = {
    # --ttft 1 --tpot 1
    "impossible": f"""\
{_LOG} [W] [main.py:2177] Experiment agg found no SLA-feasible configuration: sweep_agg: no parallel configuration met \
TTFT/TPOT or request-latency constraints. Try relaxing --ttft / --tpot / --request-latency.
{_LOG} [E] [main.py:2206] No successful experiment runs to compare. If this is a frontier or newly-released model, \
retry with --database-mode HYBRID to extend coverage beyond the silicon database.
{_LOG} [E] [main.py:2215]   -> Experiment agg failed: sweep_agg: no parallel configuration met TTFT/TPOT or \
request-latency constraints. Try relaxing --ttft / --tpot / --request-latency.
""",
    # --model-path nobody/nothing
    "unknown model": """\
aiconfigurator default: error: argument --model-path/--model: 'nobody/nothing' is not a valid HuggingFace model path \
or local path with config.json. Error: Failed to download nobody/nothing's config.json from HuggingFace: <urlopen \
error [Errno 111] Connection refused>
""",
    # --model-path /work/cfg, an empty folder
    "no config": """\
aiconfigurator default: error: argument --model-path/--model: Directory '/work/cfg' does not contain a config.json file.
""",
    # --system l4
    "no data": f"{_LOG} [E] [main.py:1521] Backend vllm is not supported for system l4. Supported backends: \n",
    # --system nope
    "traceback": """\
    gpus_per_node = spec["node"]["num_gpus_per_node"]
                    ~~~~^^^^^^^^
KeyError: 'node'
""",
    "nothing": "",
}

_SCRIPT = """\
#!{python}
import json, os, sys
from pathlib import Path
Path({asked!r}).write_text(json.dumps([sys.argv[1:], dict(os.environ)]))
if sys.argv[1:] == ["version"]:
    print({version!r})
    sys.exit()
for name, text in {tables!r}.items():
    folder = Path("out/org/MODEL_SYSTEM_ENGINE_1", name)
    folder.mkdir(parents=True)
    (folder / "best_config_topn.csv").write_text(text)
print({said!r}, end="")
{more}
sys.exit({code})
"""


def stand_in(
    folder: Path,
    run: str = "",
    modes: Iterable[Mode] = Mode,
    said: str = "",
    code: int = 0,
    version: str = "aiconfigurator 0.12.0",
    more: str = "",
) -> Path:
    """A command that writes the tables of a recorded run, says something, does ``more``, and ends with ``code``.

    ``asked.json`` beside it then has the arguments and the environment of its last run.
    """
    names = {Mode.AGGREGATED: "agg", Mode.DISAGGREGATED: "disagg"}
    path = folder / "aiconfigurator"
    path.write_text(
        _SCRIPT.format(
            python=sys.executable,
            asked=str(folder / "asked.json"),
            version=version,
            tables={names[mode]: table(run, mode) for mode in modes} if run else {},
            said=said,
            more=more,
            code=code,
        )
    )
    path.chmod(0o755)
    return path
