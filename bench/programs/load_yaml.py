"""Bare libyaml: an interpreter that reads and parses the YAML files of a folder, and ends.

It is called without `bench.programs.arguments`, which would load more than it needs.
"""

import sys
from pathlib import Path

import yaml

for path in sorted(Path(sys.argv[1]).rglob("*.yaml")):
    yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
