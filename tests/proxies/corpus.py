"""Requests, and what becomes of them: valid, odd and smuggling, by the grammar of RFC 9110 and RFC 9112 and the choices
that the front makes where these leave one. Each expectation stands beside its bytes; none is computed by a parser.
"""

import corpus_bodies
import corpus_heads

ENTRIES = [entry for part in [*corpus_heads.PARTS, *corpus_bodies.PARTS] for entry in part()]
