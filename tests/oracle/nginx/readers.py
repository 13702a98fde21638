"""What crossplane (strict) and gixy-ng say against nginx configurations.

Standard input: a JSON array of main files. Standard output: a JSON array of [index of the file, fault].
"""

import json
import logging
import sys

import crossplane
import crossplane.analyzer
import crossplane.parser
from gixy.core.config import Config
from gixy.core.manager import Manager

# Findings of gixy-ng that are wrong about what is emitted, each with its reason: a plugin, and how the finding starts.
IGNORED = [
    # A header that browsers remember for months is for the author of the mesh to add; no proxy invents it.
    ("hsts_header", ""),
    # A host that nobody serves is answered with 404, as Envoy does, also on a connection that was made for another.
    ("http2_misdirected_request", ""),
    # Envoy chooses the cipher as well.
    ("weak_ssl_tls", "ssl_prefer_server_ciphers is on"),
    # A hop on the loopback that begins TLS itself takes none.
    ("weak_ssl_tls", "No ssl_protocols"),
    # An external that is found by the host of each request is called by what the caller says: the source asks for it.
    ("ssrf", ""),
    ("http_splitting", ""),
    # Variables of `proxy_pass` hold names of upstream blocks and addresses. Those that hold names to look up have a resolver:
    # without one nginx answers 502, which tests of the running program would see.
    ("missing_resolver", "'proxy_pass' uses a variable"),
]

# What crossplane does not know yet (since nginx 1.19.4).
crossplane.analyzer.DIRECTIVES["ssl_reject_handshake"] = [
    crossplane.analyzer.NGX_HTTP_MAIN_CONF
    | crossplane.analyzer.NGX_HTTP_SRV_CONF
    | crossplane.analyzer.NGX_CONF_FLAG
]

crossplane.analyzer.DIRECTIVES["keepalive_time"] = [
    crossplane.analyzer.NGX_HTTP_MAIN_CONF
    | crossplane.analyzer.NGX_HTTP_SRV_CONF
    | crossplane.analyzer.NGX_HTTP_LOC_CONF
    | crossplane.analyzer.NGX_HTTP_UPS_CONF
    | crossplane.analyzer.NGX_CONF_TAKE1
]

# Blocks whose lines are entries of a table. Crossplane takes these for directives, and strictly that is an error.
TABLES = {"charset_map", "geo", "map", "split_clients", "types"}


def analyze_directives_only(fname, stmt, term, ctx=(), strict=False, **checks):
    analyze(fname, stmt, term, ctx, strict and not TABLES.intersection(ctx), **checks)


analyze = crossplane.parser.analyze
crossplane.parser.analyze = analyze_directives_only


def crossplane_faults(main):
    read = crossplane.parse(main, strict=True, check_ctx=True, check_args=True)
    for error in read["errors"]:
        yield f"crossplane: {error['file']}:{error['line']}: {error['error']}"


def gixy_faults(main):
    manager = Manager(Config())
    with open(main, "rb") as file:
        try:
            manager.audit(main, file)
        except Exception as error:  # It reads expressions as Python does, which knows less than nginx's engine.
            yield f"gixy cannot read it: {error!r}"
            return
    for plugin in manager.results:
        for issue in plugin.issues:
            directives = issue.directives if isinstance(issue.directives, list) else [issue.directives]
            # A finding about what is missing names no directive.
            first = str(directives[0]).strip().splitlines()[0] if directives else "nowhere"
            reason = issue.reason or issue.summary or plugin.summary
            name = type(plugin).__name__
            if any(name == wrong and reason.startswith(start) for wrong, start in IGNORED):
                continue
            yield f"gixy {name}: {first}: {reason}"


def faults(main):
    yield from crossplane_faults(main)
    yield from gixy_faults(main)


def main():
    logging.disable(logging.CRITICAL)
    files = json.load(sys.stdin)
    json.dump([[index, fault] for index, file in enumerate(files) for fault in faults(file)], sys.stdout)


main()
