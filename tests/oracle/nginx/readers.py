"""What crossplane (strict) and gixy-ng say against nginx configurations.

Standard input: a JSON array of main files. Standard output: a JSON array of [index of the file, fault].
"""

import json
import logging
import re
import sys

import crossplane
import crossplane.analyzer
import crossplane.parser
from gixy.core.config import Config
from gixy.core.manager import Manager
from gixy.core.variable import Variable


def takes_no_tls(server):
    return not any("ssl" in listen.args for listen in server.find("listen"))


def asks_for_the_server_name(directive):
    """Whether a connection goes where its TLS server name says, by a map that has checked it."""
    return directive.name == "proxy_pass" and directive.parent.some("ssl_preread") is not None


def passes_a_path(directive):
    """Whether the variable after a host that stands there is a path."""
    return directive.name == "proxy_pass" and re.match(r"https?://[A-Za-z0-9._~-]+\$", directive.args[0]) is not None


def any_directive(_):
    return True


# Findings of gixy-ng that are wrong about what is emitted, each with its reason: a plugin, how the finding starts, and what it is
# found at.
IGNORED = [
    # A header that browsers remember for months is for the author of the mesh to add; no proxy invents it.
    ("hsts_header", "", any_directive),
    # A host of other listeners is answered with 421, where it matters who has shown a certificate; a host that nobody serves
    # with 404, as Envoy does, also on a connection that was made for another.
    ("http2_misdirected_request", "", any_directive),
    # Envoy chooses the cipher as well.
    ("weak_ssl_tls", "ssl_prefer_server_ciphers is on", any_directive),
    # It takes a port with 443 in it for one of TLS.
    ("weak_ssl_tls", "No ssl_protocols", takes_no_tls),
    # An external that is found by what each connection asks for, which the source says; only its own names lead there.
    ("ssrf", "", asks_for_the_server_name),
    # The maps behind such a variable give it values that begin with a slash, or none.
    ("ssrf", "", passes_a_path),
    # Variables of `proxy_pass` hold names of upstream blocks and addresses. Those that hold names to look up have a resolver:
    # without one nginx answers 502, which tests of the running program would see.
    ("missing_resolver", "'proxy_pass' uses a variable", any_directive),
]

# What crossplane does not know yet (since nginx 1.19.4).
crossplane.analyzer.DIRECTIVES["ssl_reject_handshake"] = [
    crossplane.analyzer.NGX_HTTP_MAIN_CONF
    | crossplane.analyzer.NGX_HTTP_SRV_CONF
    | crossplane.analyzer.NGX_CONF_FLAG
]

crossplane.analyzer.DIRECTIVES["proxy_half_close"] = [
    crossplane.analyzer.NGX_STREAM_MAIN_CONF
    | crossplane.analyzer.NGX_STREAM_SRV_CONF
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


def remember_answers(name):
    """Lets a question that gixy asks a variable be answered once per character: it asks anew at every place where a variable is
    used, which doubles with every map that reads another."""
    ask = getattr(Variable, name)

    def answer(self, char, *seen):
        known = self.__dict__.setdefault(f"_known_{name}", {})
        if char not in known:
            known[char] = ask(self, char, *seen)
        return known[char]

    setattr(Variable, name, answer)


for question in ("can_contain", "_possible_char", "_source_can_contain"):
    remember_answers(question)


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
            found_at = directives[0] if directives else None
            first = str(found_at).strip().splitlines()[0] if directives else "nowhere"
            reason = issue.reason or issue.summary or plugin.summary
            name = type(plugin).__name__
            if is_ignored(name, reason, found_at):
                continue
            yield f"gixy {name}: {first}: {reason}"


def is_ignored(plugin, reason, found_at):
    return any(
        plugin == wrong and reason.startswith(start) and applies(found_at) for wrong, start, applies in IGNORED
    )


def faults(main):
    yield from crossplane_faults(main)
    yield from gixy_faults(main)


def main():
    logging.disable(logging.CRITICAL)
    files = json.load(sys.stdin)
    json.dump([[index, fault] for index, file in enumerate(files) for fault in faults(file)], sys.stdout)


main()
