"""Any bytes at all lead the request parser to a request or a refusal."""

from hypothesis import example, given
from hypothesis import strategies as st

from appliance.reporting.panel.request import Door, Refusal, Request, parse
from appliance.reporting.panel.response import encode_response, refusal_response

HOSTS = frozenset({"localhost"})
STATUSES = {400, 405, 414, 421, 431, 505}
PIECES = st.sampled_from(
    (
        *(
            b"GET ",
            b"POST ",
            b"/",
            b"/events",
            b" HTTP/1.1",
            b" HTTP/9.9",
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b"\x00",
            b"\xff",
        ),
        *(b"Host: localhost", b"Host: evil", b":", b"Content-Length: 1", b"Transfer-Encoding: chunked", b"%2e%2e/"),
    )
)
HEADS = st.one_of(
    st.binary(max_size=400), st.lists(st.one_of(PIECES, st.binary(max_size=8)), max_size=40).map(b"".join)
)


@given(HEADS)
@example(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
@example(b"GET / HTTP/1.1\r\nHost: \r\n\r\n")
def test_any_bytes_lead_to_a_request_or_a_refusal(head: bytes) -> None:
    """Nothing a client sends raises, and what passes is a plain path; wrong if raw input reached a handler."""
    outcome = parse(head, Door(HOSTS))
    if isinstance(outcome, Refusal):
        assert outcome.status in STATUSES
        assert encode_response(refusal_response(outcome)).startswith(f"HTTP/1.1 {outcome.status} ".encode())
    else:
        assert head.startswith(b"GET /")
        assert outcome.path.startswith("/")
        assert outcome.path.isascii()
        assert not set(outcome.path) & set("\r\n\t \x00")


@given(st.from_regex(r"[!-~]{1,40}", fullmatch=True), st.sampled_from(["GET", "PUT", "get"]))
def test_only_get_with_a_known_host_passes(target: str, method: str) -> None:
    """Exactly the method GET and a path pass; wrong if another spelling of either did."""
    outcome = parse(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode(), Door(HOSTS))
    assert (outcome == Request(target)) == (method == "GET" and target.startswith("/"))
