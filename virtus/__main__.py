"""`python -m virtus`."""

import sys

from virtus.cli import main

sys.exit(main())
