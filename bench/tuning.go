package main

import (
	"context"
	"fmt"
	"time"
)

// indexSettings are settings of the spatial indexes, as in a WITH clause.
func indexSettings() map[string][]string {
	return map[string][]string{
		"brin": {"pages_per_range = 2", "pages_per_range = 4", "pages_per_range = 8", "pages_per_range = 16", "pages_per_range = 32", "pages_per_range = 128"},
		"gist": {"buffering = off", "buffering = auto", "buffering = on", "buffering = off, fillfactor = 70", "buffering = off, fillfactor = 100"},
	}
}

// windowsAsked are the ids of the queries that test an index.
var windowsAsked = [...]string{"window_30", "window_100", "window_300"}

// tuningArm builds one spatial index after the other on loadgrid's table, each
// with other settings. The seconds are the time of the build. The stages are its
// size in bytes, and for each window the milliseconds and pages of a query.
func tuningArm(db *database, g grid, method string) arm {
	a := arm{id: "tuning_" + method, title: fmt.Sprintf("Settings of %s on 3.2 million cells in the order of cell_id, %s server", map[string]string{"brin": "BRIN", "gist": "GiST"}[method], db.name),
		cells: g.cells(), server: db.name}
	for _, settings := range indexSettings()[method] {
		a.contenders = append(a.contenders, contender{
			name:    settings,
			prepare: func(ctx context.Context) error { return db.exec(ctx, "drop index if exists tuning", "checkpoint") },
			run: func(ctx context.Context) (sample, error) {
				return db.buildAndQuery(ctx, g, "create index tuning on "+tableName+" using "+method+" (geom) with ("+settings+")")
			},
		})
	}

	return a
}

func (db *database) buildAndQuery(ctx context.Context, g grid, create string) (sample, error) {
	began := time.Now()
	if err := db.exec(ctx, create); err != nil {
		return sample{}, err
	}

	s := sample{Seconds: time.Since(began).Seconds(), Stages: map[string]float64{}}
	var size int64
	if err := db.conn.QueryRow(ctx, "select pg_relation_size('tuning')").Scan(&size); err != nil {
		return s, err
	}

	s.Stages["size"] = float64(size)
	for _, q := range queries() {
		for _, id := range windowsAsked {
			if q.id != id {
				continue
			}

			asked, err := db.timeQuery(ctx, g, q, tableName)
			if err != nil {
				return s, err
			}
			s.Stages[id] = asked.Seconds * 1000
			s.Stages[id+"_pages"] = asked.Stages["buffers"]
		}
	}

	return s, nil
}

// measureTuning loads a table and measures the arms that build indexes on it.
func measureTuning(ctx context.Context, db *database, measure func(arm) error, o options) error {
	loaded := false
	for _, method := range []string{"gist", "brin"} {
		a := tuningArm(db, grid32(), method)
		if o.only.MatchString(a.id) && !loaded {
			if err := db.reset(ctx); err != nil {
				return err
			}
			if _, _, err := db.load(ctx, grid32(), "--index", "none"); err != nil {
				return err
			}
			loaded = true
		}

		if err := measure(a); err != nil {
			return err
		}
		if err := db.exec(ctx, "drop index if exists tuning"); err != nil {
			return err
		}
	}

	return nil
}
