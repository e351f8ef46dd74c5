package distribution

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Choose returns how to distribute the staging table of a job. The target may exist, and
// CheckCluster has accepted the cluster. If the target or the colocated table does not allow the
// job, the error is a *geomgen.ParamError.
//
// A replaced table keeps its number of shards and their places, unless the job says otherwise. Rows
// for an existing table come from shards that are colocated with its own.
func Choose(ctx context.Context, q pg.Querier, cluster citus.Cluster, j job.Job, t catalog.Relation) (Distribution, error) {
	if j.Distribute == "" {
		return Distribution{}, nil
	}

	have, err := cluster.Table(ctx, q, t.OID)
	if err != nil {
		return Distribution{}, err
	}

	d := Distribution{Column: j.KeyColumns()[0]}
	if j.SharesFiles() && t.OID != 0 {
		d.Beside = t.Table
		return d, checkShared(j, t, have)
	}

	switch {
	case j.ColocateWith != (job.Table{}):
		d.Beside, err = checkBeside(ctx, q, cluster, j, t)
	case isHash(have, d.Column) && (j.Shards == 0 || j.Shards == have.Shards):
		d.Beside = t.Table
	case j.Shards > 0:
		d.Shards = j.Shards
	default:
		d.Shards = plan.ShardsPerNode * cluster.Workers
	}

	return d, err
}

// refuse returns a *geomgen.ParamError about the option distribute.
func refuse(j job.Job, format string, args ...any) error {
	return &geomgen.ParamError{Param: "distribute", Value: j.DistributionText(), Reason: fmt.Sprintf(format, args...)}
}

// isHash reports whether a table is distributed by the hash of this column.
func isHash(t citus.Table, column string) bool { return t.Kind == citus.Hash && t.Column == column }

// CheckCluster checks that the server can distribute a table of the job. If not, the error is a
// *geomgen.ParamError.
func CheckCluster(ctx context.Context, q pg.Querier, c citus.Cluster, j job.Job, schema string) error {
	switch {
	case j.Distribute == "":
		return nil
	case !c.Installed():
		return refuse(j, "Citus is not in this database: connect to the coordinator of a cluster, or leave distribute out")
	case c.Workers == 0:
		return refuse(j, "no node of the cluster holds shards: add workers with citus_add_node, or leave distribute out")
	}

	distributed, err := c.SchemaDistributed(ctx, q, schema)
	if err == nil && distributed {
		return refuse(j, "schema %s is itself distributed, so its tables are together on one node: choose another schema, or leave distribute out", schema)
	}

	return err
}

// checkShared checks that the rows of the job can go into an existing table from shards that are
// colocated with its own.
func checkShared(j job.Job, t catalog.Relation, have citus.Table) error {
	column := j.KeyColumns()[0]

	switch {
	case !have.Distributed():
		return refuse(j, "table %s is not distributed: leave distribute out", t.Table)
	case !isHash(have, column):
		return refuse(j, "table %s is distributed in another way (%s), not by hash of %s: leave distribute out", t.Table, have, column)
	case j.Shards > 0 && j.Shards != have.Shards:
		return refuse(j, "table %s has %d shards: leave the number out", t.Table, have.Shards)
	case j.ColocateWith != (job.Table{}):
		return &geomgen.ParamError{Param: "colocate-with", Value: j.ColocateWith.String(), Reason: "the shards of table " + t.String() + " are already in place: leave it out"}
	}

	return nil
}

// checkBeside returns the table with whose shards the job's shards are colocated.
func checkBeside(ctx context.Context, q pg.Querier, c citus.Cluster, j job.Job, t catalog.Relation) (job.Table, error) {
	beside := catalog.Relation{Table: j.ColocateWith}
	if beside.Schema == "" {
		beside.Schema = t.Schema
	}

	bad := func(reason string) (job.Table, error) {
		return beside.Table, &geomgen.ParamError{Param: "colocate-with", Value: beside.String(), Reason: reason}
	}

	if err := beside.Find(ctx, q); err != nil {
		return beside.Table, err
	}
	if beside.OID == 0 {
		return bad("does not exist: check its name, or leave colocate-with out")
	}

	have, err := c.Table(ctx, q, beside.OID)

	switch {
	case err != nil:
		return beside.Table, err
	case have.Kind != citus.Hash:
		return bad("is not distributed by hash of a column, but " + have.String() + ": choose a table that is, or leave colocate-with out")
	}

	var kind string
	err = q.QueryRow(ctx, "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = $1 and attname = $2 and not attisdropped", beside.OID, have.Column).Scan(&kind)

	switch {
	case err != nil:
		return beside.Table, pg.Wrap(err, "looking up the distribution column of table %s", beside.Table)
	case kind != "bigint":
		return bad("is distributed by " + have.Column + ", which is " + kind + ", but this table by a bigint: choose a table that is distributed by a bigint, or leave colocate-with out")
	}

	return beside.Table, nil
}
