package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/loader"
)

// floorStages are the stages of the floor, as its samples name them.
var floorStages = [...]string{"load", "gist", "unique", "analyze"}

// clockTicks is the number of ticks a second in which Linux counts a process's CPU
// time, on each of its platforms: USER_HZ in proc(5).
const clockTicks = 100

const nameFloor = "one backend after the other, CPU seconds"

// floorArm measures the CPU time of the work on the server. One undisturbed backend
// does each step: COPY FREEZE from a file, GiST, unique index, ANALYZE. Divided by
// the number of cores, the sum is the floor for a table with GiST in the order of
// cell_id, for any program that loads it.
func floorArm(ctx context.Context, db *database, g grid, dir string) (arm, error) {
	plan, err := loader.NewPlan(ctx, g.job())
	if err != nil {
		return arm{}, err
	}

	limit := db.limit(g, plan, dir)
	c := contender{name: nameFloor, prepare: limit.prepare}
	c.run = func(ctx context.Context) (sample, error) {
		var pid int
		if err := db.conn.QueryRow(ctx, "select pg_backend_pid()").Scan(&pid); err != nil {
			return sample{}, err
		}

		s := sample{Stages: map[string]float64{}}
		for i, step := range []func() error{
			func() error { _, err := limit.run(ctx); return err },
			func() error {
				return db.exec(ctx, "create index on "+tableName+" using gist (geom) with (buffering = off)")
			},
			func() error { return db.exec(ctx, "create unique index on "+tableName+" (cell_id)") },
			func() error { return db.exec(ctx, "analyze "+tableName) },
		} {
			before, err := cpuSeconds(pid)
			if err != nil {
				return s, err
			}

			if err := step(); err != nil {
				return s, err
			}

			after, err := cpuSeconds(pid)
			if err != nil {
				return s, err
			}
			s.Stages[floorStages[i]] = after - before
			s.Seconds += after - before
		}

		return s, nil
	}

	c.prepare = func(ctx context.Context) error {
		// This backend's CPU time would not include the work of parallel workers.
		if err := db.exec(ctx, "set max_parallel_maintenance_workers = 0", "set maintenance_work_mem = '256MB'"); err != nil {
			return err
		}
		return limit.prepare(ctx)
	}

	c.check = func(ctx context.Context) error {
		return db.exec(ctx, "reset max_parallel_maintenance_workers", "reset maintenance_work_mem")
	}
	return arm{id: "floor_" + db.name, title: "Floor: CPU seconds of the " + db.name + " server for 3.2 million cells", cells: g.cells(),
		server: db.name, contenders: []contender{c}}, nil
}

// cpuSeconds returns the CPU time of a process, in its own code and in the kernel:
// fields 14 and 15 of /proc/PID/stat, see proc(5).
func cpuSeconds(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}

	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has only %d fields", pid, len(fields))
	}

	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/%d/stat: %w", pid, err)
		}
		ticks += n
	}

	return float64(ticks) / clockTicks, nil
}
