package distribution_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/loader/job"
)

func TestSQL(t *testing.T) {
	table := job.Table{Schema: "public", Name: "cells"}
	for _, tt := range []struct {
		d     distribution.Distribution
		table job.Table
		want  string
	}{
		{distribution.Distribution{Column: "cell_id", Shards: 8}, table,
			`select pg_catalog.create_distributed_table(E'"public"."cells"', E'cell_id', 'hash', shard_count => 8)`},
		{distribution.Distribution{Column: "parent", Beside: job.Table{Schema: "s", Name: "points"}}, table,
			`select pg_catalog.create_distributed_table(E'"public"."cells"', E'parent', 'hash', colocate_with => E'"s"."points"')`},
		{distribution.Distribution{Column: `it's \ "id"`, Beside: job.Table{Schema: `a'b`, Name: `"c\`}}, job.Table{Schema: "x", Name: `y'`},
			`select pg_catalog.create_distributed_table(E'"x"."y''"', E'it''s \\ "id"', 'hash', colocate_with => E'"a''b"."""c\\"')`},
	} {
		if got := tt.d.SQL(tt.table); got != tt.want {
			t.Errorf("got  %s\nwant %s", got, tt.want)
		}
	}
}

// server answers the queries of Choose like a coordinator with two workers, or like a server without
// Citus.
type server struct {
	citus   bool
	workers int
	schema  bool // the schema is distributed
	// tables are the existing tables, by OID: kind, column, number of shards.
	tables map[uint32]string
}

// row is an answer.
type row []any

func (r row) Scan(to ...any) error {
	if r == nil {
		return pgx.ErrNoRows
	}

	for i, v := range r {
		if _, err := fmt.Sscan(fmt.Sprint(v), to[i]); err != nil {
			return fmt.Errorf("value %d, %v: %w", i, v, err)
		}
	}

	return nil
}

func (s server) QueryRow(_ context.Context, sql string, args ...any) pgx.Row {
	switch {
	case strings.Contains(sql, "pg_dist_partition"):
		text, there := s.tables[args[0].(uint32)]
		if !there {
			return row(nil)
		}

		var kind, column string
		var shards int
		_, _ = fmt.Sscan(text, &kind, &column, &shards)

		return row{kind, column, shards, 1}
	case strings.Contains(sql, "pg_dist_schema s join"):
		return row{s.schema}
	case strings.Contains(sql, "pg_dist_node"):
		return row{0, s.workers, true}
	case strings.Contains(sql, "pg_extension"):
		if !s.citus {
			return emptyText{}
		}
		return row{"13.2-1"}
	case strings.Contains(sql, "format_type(atttypid"):
		return row{"bigint"}
	case strings.Contains(sql, "relname = $2"):
		if args[1] == "points" {
			return row{7}
		}
		return row(nil)
	}

	panic("nobody has said what to answer to " + sql)
}

// emptyText is a row with an empty text.
type emptyText struct{}

func (emptyText) Scan(to ...any) error {
	*to[0].(*string) = ""
	return nil
}

func (s server) Query(context.Context, string, ...any) (pgx.Rows, error) {
	panic("Choose queries one row at a time")
}

func (s server) Exec(context.Context, string, ...any) (pgconn.CommandTag, error) {
	panic("nothing is to be executed")
}

const target, points = 5, 7

func TestChoose(t *testing.T) {
	cells := job.Table{Schema: "public", Name: "cells"}
	there := map[uint32]string{target: "hash cell_id 12", points: "hash parent 8"}
	cluster := server{citus: true, workers: 2, tables: there}

	for name, tt := range map[string]struct {
		server server
		new    bool // there is no table yet
		change func(*job.Job)
		want   distribution.Distribution
	}{
		"not requested": {server{}, true, func(j *job.Job) { j.Distribute = "" }, distribution.Distribution{}},
		"new":           {cluster, true, nil, distribution.Distribution{Column: "cell_id", Shards: 4}},
		"new, shards":   {cluster, true, func(j *job.Job) { j.Shards = 3 }, distribution.Distribution{Column: "cell_id", Shards: 3}},
		"new, parents":  {cluster, true, func(j *job.Job) { j.ParentLevels = 6 }, distribution.Distribution{Column: "parent", Shards: 4}},
		"new, beside": {cluster, true, func(j *job.Job) { j.ColocateWith.Name = "points" },
			distribution.Distribution{Column: "cell_id", Beside: job.Table{Schema: "public", Name: "points"}}},
		"replaced":         {cluster, false, nil, distribution.Distribution{Column: "cell_id", Beside: cells}},
		"replaced, shards": {cluster, false, func(j *job.Job) { j.Shards = 6 }, distribution.Distribution{Column: "cell_id", Shards: 6}},
		"replaced, the same shards": {cluster, false, func(j *job.Job) { j.Shards = 12 },
			distribution.Distribution{Column: "cell_id", Beside: cells}},
		"replaced, by parents now": {cluster, false, func(j *job.Job) { j.ParentLevels = 2 }, distribution.Distribution{Column: "parent", Shards: 4}},
		"replaced, was on one server": {server{citus: true, workers: 3}, false, nil,
			distribution.Distribution{Column: "cell_id", Shards: 6}},
		"appended to": {cluster, false, func(j *job.Job) { j.IfExists = job.Append }, distribution.Distribution{Column: "cell_id", Beside: cells}},
		"truncated":   {cluster, false, func(j *job.Job) { j.Publish = job.PublishTruncate }, distribution.Distribution{Column: "cell_id", Beside: cells}},
		"appended to nothing": {cluster, true, func(j *job.Job) { j.IfExists = job.Append },
			distribution.Distribution{Column: "cell_id", Shards: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			j, r := chosen(cells, tt.new, tt.change)
			got, err := choose(t, tt.server, j, r)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestChooseRefuses(t *testing.T) {
	cells := job.Table{Schema: "public", Name: "cells"}
	cluster := server{citus: true, workers: 2, tables: map[uint32]string{target: "hash cell_id 12", points: "range parent 8"}}

	for name, tt := range map[string]struct {
		server server
		change func(*job.Job)
		param  string
		words  string
	}{
		"no Citus":           {server{}, nil, "distribute", "Citus is not in this database"},
		"no workers":         {server{citus: true}, nil, "distribute", "citus_add_node"},
		"distributed schema": {server{citus: true, workers: 2, schema: true}, nil, "distribute", "schema public is itself distributed"},
		"append to a table of one server": {server{citus: true, workers: 2}, func(j *job.Job) { j.IfExists = job.Append },
			"distribute", "is not distributed"},
		"append, other shards": {cluster, func(j *job.Job) { j.IfExists, j.Shards = job.Append, 4 }, "distribute", "has 12 shards"},
		"append, by parent": {cluster, func(j *job.Job) { j.IfExists, j.ParentLevels = job.Append, 4 },
			"distribute", "not by hash of parent"},
		"append, beside":                 {cluster, func(j *job.Job) { j.IfExists, j.ColocateWith.Name = job.Append, "points" }, "colocate-with", "already in place"},
		"colocated with a missing table": {cluster, func(j *job.Job) { j.ColocateWith.Name = "nothing" }, "colocate-with", "does not exist"},
		"beside a range":                 {cluster, func(j *job.Job) { j.ColocateWith.Name = "points" }, "colocate-with", "range of parent"},
	} {
		t.Run(name, func(t *testing.T) {
			j, r := chosen(cells, false, tt.change)
			_, err := choose(t, tt.server, j, r)

			var param *geomgen.ParamError
			if !errors.As(err, &param) || param.Param != tt.param || !strings.Contains(param.Reason, tt.words) {
				t.Errorf("got %v, want an error about %s with %q", err, tt.param, tt.words)
			}
		})
	}
}

func choose(t *testing.T, s server, j job.Job, r catalog.Relation) (distribution.Distribution, error) {
	t.Helper()
	cluster, err := citus.Read(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}

	if err := distribution.CheckCluster(t.Context(), s, cluster, j, r.Schema); err != nil {
		return distribution.Distribution{}, err
	}

	return distribution.Choose(t.Context(), s, cluster, j, r)
}

// chosen returns a job that replaces a table, and the table.
func chosen(t job.Table, isNew bool, change func(*job.Job)) (job.Job, catalog.Relation) {
	j := job.Job{Table: t, Grid: geomgen.Grid{DX: 1, DY: 1}, Cols: 2, Rows: 2, IfExists: job.Replace, Distribute: job.DistributeHash}
	if change != nil {
		change(&j)
	}

	r := catalog.Relation{Table: t, OID: target}
	if isNew {
		r.OID = 0
	}

	return j.WithDefaults(), r
}
