// Package citus owns knowledge about a Citus cluster: whether a database belongs to one, its nodes,
// how a table is distributed over them, and whether a commit has reached all of them.
package citus

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
)

// Cluster describes Citus in a database. The zero value is a database without Citus.
type Cluster struct {
	// Version is the version of the extension, such as 13.2-1. It is empty without Citus.
	Version string
	// Group is 0 on the coordinator, and the number of the node's group on a worker.
	Group int32
	// Workers is how many nodes can get shards. The coordinator can be one of them.
	Workers int

	schemas bool // Citus supports distributed schemas: from version 12 on
}

// Installed reports whether the database has Citus.
func (c Cluster) Installed() bool { return c.Version != "" }

const clusterSQL = `
	select (select groupid from pg_dist_local_group),
	       (select count(*) from pg_dist_node where isactive and noderole = 'primary' and shouldhaveshards
	        and nodecluster = current_setting('citus.cluster_name')),
	       to_regclass('pg_catalog.pg_dist_schema') is not null`

// Read reads the state of Citus from the server. Without Citus it runs one short query.
func Read(ctx context.Context, q pg.Querier) (c Cluster, err error) {
	err = q.QueryRow(ctx, "select coalesce((select extversion from pg_extension where extname = 'citus'), '')").Scan(&c.Version)
	if err == nil && c.Installed() {
		err = q.QueryRow(ctx, clusterSQL).Scan(&c.Group, &c.Workers, &c.schemas)
	}

	return c, pg.Wrap(err, "asking the server about Citus")
}

// Refuse refuses a worker's database: no other node knows a table that is created there, and the
// coordinator keeps workers from distributing tables.
func (c Cluster) Refuse() error {
	if c.Group == 0 {
		return nil
	}

	return &pg.ServerError{Doing: "checking the server", Err: errors.New("it is a worker of a Citus cluster"),
		Advice: "connect to the coordinator: a worker shows its address with: select nodename, nodeport from pg_dist_node where groupid = 0"}
}

// Kind is the kind of a table in Citus.
type Kind string

// The kinds of tables.
const (
	Local     Kind = ""            // not managed by Citus: an ordinary table of the coordinator
	Hash      Kind = "hash"        // spread over shards by a hash of a column
	Range     Kind = "range"       // spread over shards by ranges of a column
	Append    Kind = "append"      // spread over shards by the loading program
	Single    Kind = "single"      // one shard on one node, without a distribution column
	Reference Kind = "reference"   // a copy on each node
	Managed   Kind = "citus local" // on the coordinator, but visible on the workers
)

// Table describes how a table is distributed. The zero value is a table that is not distributed.
type Table struct {
	Kind       Kind
	Column     string // the distribution column; empty for kinds without one
	Shards     int
	Colocation int32 // the number of its colocation group, 0 for none
	// Schema means that the table belongs to a distributed schema: Citus distributes every table
	// that is created there.
	Schema bool
}

// Distributed reports whether the rows are on nodes other than the coordinator.
func (t Table) Distributed() bool { return t.Kind != Local && t.Kind != Managed }

const tableSQL = `
	select case when p.partmethod = 'h' then 'hash' when p.partmethod = 'r' then 'range' when p.partmethod = 'a' then 'append'
	            when p.repmodel = 't' then 'reference' when p.colocationid = 0 then 'citus local' else 'single' end,
	       coalesce(column_to_column_name(p.logicalrelid, p.partkey), ''),
	       (select count(*) from pg_dist_shard s where s.logicalrelid = p.logicalrelid), p.colocationid::integer
	from pg_dist_partition p where p.logicalrelid = $1::oid::regclass`

// Table looks up how the table with this oid is distributed. Without Citus it runs no query.
func (c Cluster) Table(ctx context.Context, q pg.Querier, oid uint32) (t Table, err error) {
	if !c.Installed() || oid == 0 {
		return t, nil
	}

	err = q.QueryRow(ctx, tableSQL, oid).Scan(&t.Kind, &t.Column, &t.Shards, &t.Colocation)
	if errors.Is(err, pgx.ErrNoRows) {
		return t, nil
	}

	if err == nil && t.Kind == Single && c.schemas {
		err = q.QueryRow(ctx, "select exists (select from pg_dist_schema s join pg_class c on c.relnamespace = s.schemaid where c.oid = $1)", oid).Scan(&t.Schema)
	}

	return t, pg.Wrap(err, "asking Citus how a table is distributed")
}

// SchemaDistributed reports whether the schema with this name is distributed: a table that is
// created there gets one shard on the schema's node.
func (c Cluster) SchemaDistributed(ctx context.Context, q pg.Querier, schema string) (is bool, err error) {
	if !c.schemas {
		return false, nil
	}

	err = q.QueryRow(ctx, "select exists (select from pg_dist_schema s join pg_namespace n on n.oid = s.schemaid where n.nspname = $1)", schema).Scan(&is)

	return is, pg.Wrap(err, "asking Citus about schema %s", schema)
}

// String describes for people how the table is distributed.
func (t Table) String() string {
	switch {
	case t.Column != "":
		return fmt.Sprintf("%s of %s, %d shards", t.Kind, t.Column, t.Shards)
	case t.Kind == Reference:
		return "a reference table"
	case t.Kind == Single:
		return "one shard"
	case t.Kind == Append:
		return fmt.Sprintf("append, %d shards", t.Shards)
	case t.Kind == Managed:
		return "a local table that workers know"
	}

	return "not distributed"
}
