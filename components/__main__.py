"""The components as a Pulumi plugin, which `pulumi package add` adds to programs in any language."""

import sys
from pathlib import Path

# The plugin runs in this folder; its imports are in the parent.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))


from pulumi.provider import main

from components.plugin import plugin

if __name__ == "__main__":
    main(plugin(), sys.argv[1:])
