#!/usr/bin/python3
"""Serves the map of this folder, and vector tiles from PostGIS, to this machine alone: a way to try them, not for production.

    python3 docs/map/serve.py [--port 8000] [--leaflet FOLDER] [FUNCTION ...]

A FUNCTION (z integer, x integer, y integer) returns a tile as bytea; /tiles/FUNCTION/z/x/y.mvt serves it. The default is cells_tile.
The server comes from PGSERVICE, PGHOST and so on. It needs psycopg2 (Debian: python3-psycopg2).
"""

import argparse
import http.server
import pathlib
import re
import sys

import psycopg2
from psycopg2 import sql

FOLDER = pathlib.Path(__file__).resolve().parent


class Handler(http.server.SimpleHTTPRequestHandler):
    """Answers a request for a tile from the database, and any other one from the folder."""

    extensions_map = {".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".png": "image/png", "": "text/plain"}

    def parse_request(self):
        # A name that leads to this machine may be that of a page elsewhere, which must not read tiles.
        if not super().parse_request():
            return False
        if re.fullmatch(r"(127\.0\.0\.1|localhost)(:\d+)?", self.headers.get("Host", "")):
            return True
        self.send_error(403, "the server answers only http://127.0.0.1 and http://localhost")
        return False

    def do_GET(self):
        match = re.fullmatch(r"/tiles/(\w+)/(\d{1,2})/(\d{1,8})/(\d{1,8})\.mvt", self.path)
        if not match:
            super().do_GET()
            return

        name, z, x, y = match[1], *map(int, match.groups()[1:])
        if name not in self.server.functions or z > 24 or max(x, y) >= 2**z:
            self.answer(404, "text/plain", b"there is no such tile")
            return
        try:
            with self.server.connection.cursor() as cursor:
                cursor.execute(sql.SQL("select {}(%s, %s, %s)").format(sql.Identifier(name)), (z, x, y))
                tile = cursor.fetchone()[0]
        except psycopg2.Error as err:
            self.answer(500, "text/plain", str(err).encode())
            return
        self.answer(200, "application/vnd.mapbox-vector-tile", bytes(tile or b""))

    def answer(self, status, kind, body):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        try:
            self.end_headers()
            self.wfile.write(body)
        except ConnectionError:
            pass  # the map has moved, and the browser dropped the request

    def translate_path(self, path):
        rest = path.removeprefix("/leaflet/")
        if rest != path and re.fullmatch(r"leaflet\.(js|css)|images/[\w-]+\.png", rest):
            return str(self.server.leaflet / rest)
        return super().translate_path(path)

    def log_request(self, code="-", size="-"):
        """Logs what fails, and nothing else."""
        if int(code) >= 400:
            super().log_request(code, size)


def main():
    """Connects, checks the functions, and serves until it is stopped."""
    parser = argparse.ArgumentParser(description="serve the map of this folder, and vector tiles from PostGIS")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--leaflet", type=pathlib.Path, help="folder with leaflet.js and leaflet.css")
    parser.add_argument("functions", nargs="*", default=["cells_tile"], metavar="FUNCTION")
    options = parser.parse_args()

    own, debian = FOLDER / "leaflet", pathlib.Path("/usr/share/javascript/leaflet")
    leaflet = options.leaflet or (own if own.is_dir() else debian)
    if not (leaflet / "leaflet.js").is_file():
        sys.exit(f"serve.py: {leaflet} has no leaflet.js: install libjs-leaflet, or give --leaflet")

    connection = psycopg2.connect("")
    connection.set_session(readonly=True, autocommit=True)
    with connection.cursor() as cursor:
        for name in options.functions:
            cursor.execute("select to_regprocedure(quote_ident(%s) || '(integer, integer, integer)')", (name,))
            if cursor.fetchone()[0] is None:
                sys.exit(f"serve.py: the database has no function {name}(integer, integer, integer) on the search_path")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), lambda *args: Handler(*args, directory=str(FOLDER)))
    server.connection, server.functions, server.leaflet = connection, options.functions, leaflet
    print(f"http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
