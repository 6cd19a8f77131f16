"""The service describes itself: home page, OpenAPI, health, metrics, sitemap and well-known paths.

Read `well_known` first.
"""
