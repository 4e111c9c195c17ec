"""The rest of a body that is too large is read before the 413, so that the client gets to read the answer."""

from flask import Flask, Response, request

MOST_BYTES = 4 * 1024 * 1024
PORTION = 64 * 1024


def install_unread_bodies(app: Flask) -> None:
    """Read and drop what a client still sends when the answer is a 413, up to MOST_BYTES.

    Otherwise the server closes the connection on a client that is still sending, and a client that kept the
    connection loses its next request with it (RFC 9112, 9.6).
    """

    @app.after_request
    def read_the_rest(response: Response) -> Response:
        if response.status_code == 413:
            body, left = request.environ["wsgi.input"], min(request.content_length or 0, MOST_BYTES)
            while left > 0:
                portion = body.read(min(PORTION, left))
                if not portion:
                    break
                left -= len(portion)
        return response
