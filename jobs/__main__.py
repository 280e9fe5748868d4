"""`python -m jobs …`: the operator's commands."""

import sys

from jobs.commands.cli import main

if __name__ == "__main__":
    sys.exit(main())
