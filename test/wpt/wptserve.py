"""wptserve.py CHECKOUT CONFIG: runs the tests' own server, which needs no package beyond what the checkout brings."""
import os
import ssl
import sys

checkout, config = sys.argv[1], os.path.abspath(sys.argv[2])
os.chdir(checkout)
sys.path.insert(0, checkout)
from tools import localpaths  # noqa: E402, F401
from tools.serve import serve  # noqa: E402
from wptserve.server import WebTestServer  # noqa: E402

shutdown_request = WebTestServer.shutdown_request


def say_goodbye(self, request):
    """Python ends TLS connections without a word, and a response without a length is then incomplete, as in
    https://www.rfc-editor.org/rfc/rfc9112#section-9.8."""
    if isinstance(request, ssl.SSLSocket):
        try:
            request.settimeout(1)
            request.unwrap()
        except (OSError, ValueError):
            pass
    shutdown_request(self, request)


WebTestServer.shutdown_request = say_goodbye

if __name__ == '__main__':
    serve.run(**vars(serve.get_parser().parse_args(['--config', config])))
