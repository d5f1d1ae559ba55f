"""Who asks a function URL, and what function answers."""

import urllib.error
import urllib.request

ECHO = "def handler(event, context): return {'event': event, 'id': context.aws_request_id}\n"


def ask(url, data=None, headers=None, method=None):
    """Status, headers and body, by plain urllib and the plain address."""
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()
