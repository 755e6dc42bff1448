"""wptserve.py CHECKOUT CONFIG: runs the tests' own server, which needs no package beyond what the checkout brings."""
import os
import sys

checkout, config = sys.argv[1], os.path.abspath(sys.argv[2])
os.chdir(checkout)
sys.path.insert(0, checkout)
from tools import localpaths  # noqa: E402, F401
from tools.serve import serve  # noqa: E402

if __name__ == '__main__':
    serve.run(**vars(serve.get_parser().parse_args(['--config', config])))
