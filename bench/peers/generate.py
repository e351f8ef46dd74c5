"""Makes the boxes of a grid in one of three ways, and prints the seconds that it took.

Usage: generate.py list|pool|chunks COLS ROWS
"""
import itertools
import sys
import time
from multiprocessing import Pool

from shapely.geometry import box


def unit_box(corner):
    x, y = corner
    return box(x - 1, y - 1, x, y)


def column_of_boxes(job):
    x, rows = job
    return [box(x - 1, y - 1, x, y) for y in range(1, rows + 1)]


def main():
    how, cols, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    corners = itertools.product(range(1, cols + 1), range(1, rows + 1))
    began = time.perf_counter()
    if how == "list":
        boxes = list(map(unit_box, corners))
    elif how == "pool":
        with Pool(2) as pool:
            boxes = pool.map(unit_box, corners)
    else:
        with Pool(2) as pool:
            columns = pool.map(column_of_boxes, [(x, rows) for x in range(1, cols + 1)])
        boxes = [b for column in columns for b in column]
    seconds = time.perf_counter() - began
    assert len(boxes) == cols * rows and boxes[0].bounds == (0, 0, 1, 1)
    print(seconds)


if __name__ == "__main__":
    main()
