"""No file and no network within a client's reach: what gradio can serve beside the page, asked for in many spellings."""

import httpx
import pytest

SECRETS = ("/etc/passwd", "/proc/self/environ", "app.py", "requirements.txt", ".git/config")  # files of the machine
TRAVERSALS = ("{}", "../{}", "..%2f{}", "%2e%2e/{}", "....//{}", "..\\{}", "//{}")
PLACES = ("gradio_api/file=", "gradio_api/file/", "static/", "assets/", "svelte/")


@pytest.mark.parametrize("place", PLACES)
def test_no_file_of_the_machine_is_served(app, place):
    with httpx.Client(base_url=app.url) as client:
        for secret in SECRETS:
            for traversal in TRAVERSALS:
                answer = client.get(f"/{place}{traversal.format(secret)}")
                assert answer.status_code in (400, 403, 404), (place, traversal, secret)
                assert "root:" not in answer.text and "gradio==" not in answer.text
