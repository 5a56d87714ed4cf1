"""Monitoring as an extension of a service: it watches the calls and answers at its own paths over HTTP."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from tiergate.coordinator.assembly import ServePlan, tier_specs
from tiergate.coordinator.live.feed import Feed, live_routes
from tiergate.coordinator.service import Extension, Service
from tiergate.monitoring.exposition import CONTENT_TYPE, Exposition
from tiergate.monitoring.stacks import told_on_signal
from tiergate.monitoring.watching import Watching


def observed(plan: ServePlan) -> Extension:
    """The extension that watches the service of a plan."""

    @asynccontextmanager
    async def watched(service: Service) -> AsyncIterator[None]:
        watching = Watching(
            service.dispatcher,
            store=service.store,
            resident={spec.name: spec.resident for spec in tier_specs(plan.tiers)},
            queue_limit=plan.queue_limit,
            deadline_s=plan.deadline_s,
        )
        service.monitor = watching
        feed = Feed(watching)
        service.routes += [*routes(watching), *live_routes(feed)]
        with watching.attached(), feed.attached(), told_on_signal(service.dispatcher.pool, _to_errors):
            yield

    return watched


def routes(watching: Watching) -> list[BaseRoute]:
    """``/health/live``, ``/health/ready``, ``/metrics`` and ``/status.json``."""
    exposition = Exposition(watching)

    async def live(_request: Request) -> Response:
        return Response("live\n", media_type="text/plain")

    async def ready(_request: Request) -> Response:
        health = watching.health()
        return json_response(health, 200 if health.takes_calls else 503)

    async def metrics(_request: Request) -> Response:
        return Response(exposition.text(), headers={"content-type": CONTENT_TYPE})

    async def status(_request: Request) -> Response:
        return json_response(watching.status())

    return [
        Route("/health/live", live),
        Route("/health/ready", ready),
        Route("/metrics", metrics),
        Route("/status.json", status),
    ]


def json_response(value: object, status: int = 200) -> Response:
    """A struct as JSON that nobody keeps."""
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(value), status, headers, media_type="application/json")


def _to_errors(text: str) -> None:
    print(text, file=sys.stderr, end="", flush=True)
