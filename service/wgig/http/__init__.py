"""HTTP infrastructure: what every request meets, whatever its route.

Read `middleware` first, then `server`. Also here: bodies, parameters, content negotiation, responses,
authentication, languages, rate limits, caches, telemetry, work queues and outbound requests.
"""
