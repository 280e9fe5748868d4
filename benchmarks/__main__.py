"""`python -m benchmarks [NAME …] [--quick]`: measure, print a table, write JSON."""

import sys

from benchmarks.run import main

sys.exit(main(sys.argv[1:]))
