"""Amazon API Gateway's data plane: HTTP requests in, a function's answers out.

Stands for: the ``execute-api`` endpoint of REST APIs and HTTP APIs with Lambda proxy integrations.
AWS page: *API Gateway use cases* (REST and HTTP APIs). What the two have in common is here in
``exchange``; ``rest`` and ``http_api`` are the two kinds.
Leaves out: other integrations, authorizers, API keys, models and validators, mapping templates,
caching, WebSocket APIs. A method or route that asks for any of them answers 501.
"""
