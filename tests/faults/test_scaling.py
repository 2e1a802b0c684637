"""A new instance has a part in the work, or it proves nothing that it was there."""

from tests.faults import scaling

METRICS = """\
# HELP http_request_seconds How long requests took, by route template.
# TYPE http_request_seconds histogram
http_request_seconds_bucket{le="0.1",method="GET",route="/readyz",status="200"} 9.0
http_request_seconds_count{method="GET",route="/readyz",status="200"} 9.0
http_request_seconds_sum{method="GET",route="/readyz",status="200"} 0.1
"""
VISITS = """\
http_request_seconds_bucket{le="0.1",method="GET",route="/visits",status="200"} 2.0
http_request_seconds_count{method="GET",route="/visits",status="200"} 2.0
http_request_seconds_count{method="POST",route="/visits",status="201"} 1.0
"""


def test_looks_at_how_it_is_are_no_work():
    assert scaling.requests_in(METRICS) == 0
    assert scaling.requests_in(METRICS + VISITS) == 3


def test_who_is_asked_has_to_answer_and_who_is_not_has_to_take_messages():
    assert scaling.worked((3, 0), asked=True)
    assert not scaling.worked((0, 5), asked=True)
    assert scaling.worked((0, 5), asked=False)
    assert not scaling.worked((3, 0), asked=False)
