"""Tests models: python -m ganzoo.testing MODEL... [OPTIONS OF PYTEST], see `ganzoo.testing`."""

import sys

from ganzoo import testing

if __name__ == "__main__":
    if not {"--help", "-h"}.isdisjoint(sys.argv):
        print(__doc__)  # and pytest's own
    sys.exit(testing.run(*sys.argv[1:]))
