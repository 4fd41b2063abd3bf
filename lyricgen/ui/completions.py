"""`POST /v1/completions`: the HTTP side of `endpoints/completions.py`.

A request goes through the app's own queue, as a call of the private endpoint `/completions`: it shares the batches, the limits and
'queue is full' of `/generate`.
"""

import json

import httpx2
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lyricgen.endpoints.completions import completions, failure
from lyricgen.ui.server import MAX_BODY

CALL = f"/gradio_api/call/{completions.__name__}"
QUEUE_IS_FULL = "The queue is full; try again later."
REFUSED = f"the body must have no file, and at most {MAX_BODY:,} bytes when characters beyond ASCII are escaped"
FAILED = "The completion failed; it has been logged."


async def create_completion(request: Request) -> JSONResponse:
    """Answers a request, with the status and the error body of OpenAI's API."""
    try:
        body = json.loads(await request.body(), parse_constant=str)  # NaN is refused in words, as a text
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return JSONResponse(failure("the body must be a JSON object"), 400)
    app = httpx2.ASGITransport(app=request.app)  # within this process
    async with httpx2.AsyncClient(transport=app, base_url="http://127.0.0.1", timeout=None) as client:
        joined = await client.post(  # escaped: a text may have half a surrogate pair
            CALL, content=json.dumps({"data": [body]}), headers={"content-type": "application/json"}
        )
        if joined.status_code == 503:
            return JSONResponse(failure(QUEUE_IS_FULL, "server_error"), 503)
        if joined.status_code != 200:
            return JSONResponse(failure(REFUSED), 400)
        events = await client.get(f"{CALL}/{joined.json()['event_id']}")
    kind, _, data = f"\n{events.text}".rpartition("\nevent: ")[2].partition(
        "\ndata: "
    )  # a text has no line break there
    if kind != "complete":
        return JSONResponse(failure(FAILED, "server_error"), 500)
    (answer,) = json.loads(data)
    return JSONResponse(answer, 400 if "error" in answer else 200)


COMPLETIONS_ROUTE = Route("/v1/completions", create_completion, methods=["POST"])
