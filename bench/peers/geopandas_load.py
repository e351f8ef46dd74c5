"""Makes the grid and loads it with GeoPandas, until it is ready to query.

Usage: geopandas_load.py TABLE COLS ROWS SRID CELL_SIZE; the PG* environment names the server.
to_postgis makes the spatial index.
"""
import sys

import geopandas
from shapely.geometry import box
from sqlalchemy import create_engine


def main():
    table, cols, rows, srid, size = sys.argv[1], *map(int, sys.argv[2:6])
    cells = [(c, r) for r in range(rows) for c in range(cols)]
    frame = geopandas.GeoDataFrame(
        {
            "cell_id": [r * cols + c for c, r in cells],
            "col": [c for c, _ in cells],
            "row": [r for _, r in cells],
        },
        geometry=[box(c * size, r * size, (c + 1) * size, (r + 1) * size) for c, r in cells],
        crs=srid,
    ).rename_geometry("geom")
    engine = create_engine("postgresql+psycopg2://")
    frame.to_postgis(table, engine, index=False)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"alter table {table} add primary key (cell_id)")
        connection.exec_driver_sql(f"analyze {table}")


if __name__ == "__main__":
    main()
