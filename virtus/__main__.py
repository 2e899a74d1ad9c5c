"""`python -m virtus`."""

import sys

from virtus.cli.commands import main

sys.exit(main())
