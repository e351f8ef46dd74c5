"""Copies the grid into a table with psycopg, row by row, and prints the seconds that it took.

Usage: psycopg_copy.py TABLE COLS ROWS SRID CELL_SIZE; the PG* environment names the server.
The script makes the rows first, and times only the COPY and its transaction.
"""
import sys
import time

import psycopg
from shapely import wkb
from shapely.geometry import box


def main():
    table, cols, rows, srid, size = sys.argv[1], *map(int, sys.argv[2:6])
    cells = [
        (r * cols + c, c, r, wkb.dumps(box(c * size, r * size, (c + 1) * size, (r + 1) * size), hex=True, srid=srid))
        for r in range(rows)
        for c in range(cols)
    ]
    with psycopg.connect() as connection:
        began = time.perf_counter()
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(
                f"create table {table} (cell_id bigint not null, col integer, row integer, geom geometry(Polygon, {srid}))"
            )
            with cursor.copy(f"copy {table} (cell_id, col, row, geom) from stdin (freeze)") as copy:
                for cell in cells:
                    copy.write_row(cell)
        print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
