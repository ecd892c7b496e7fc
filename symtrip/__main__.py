"""``python -m symtrip`` is the command ``symtrip``."""

from __future__ import annotations

import sys

from symtrip.cli.main import main

sys.exit(main())
