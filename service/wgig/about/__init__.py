"""Descriptions of the service: home page, catalog, OpenAPI, health, metrics, sitemap, well-known paths.

Read `well_known` first.
"""
