"""HTTP infrastructure, independent of routes: server, middleware, negotiation, responses and limits.

Read `middleware` first, then `server`. Also here: bodies, parameters, content negotiation, responses,
authentication, languages, rate limits, caches, telemetry, work queues and outbound requests.
"""
