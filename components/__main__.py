"""The components as a Pulumi plugin: `pulumi package add` gives them to programs in YAML, TypeScript, Go and other
languages.
"""

import sys
from pathlib import Path

# The plugin is this folder; what it imports is beside it.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from pulumi.provider import main

from components.plugin import plugin

if __name__ == "__main__":
    main(plugin(), sys.argv[1:])
