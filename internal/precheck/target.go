package precheck

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/adopt"
	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/internal/target"
	"github.com/loadgrid/loadgrid/loader/job"
	"github.com/loadgrid/loadgrid/loader/ledger"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Checked is what a load does about the existing table.
type Checked struct {
	Target   target.Target
	Strategy publish.Strategy
	Index    job.Index          // spatial indexes for the staging table
	Others   []catalog.IndexDef // other indexes for its partitions, as in the existing table
	// Spread is true if rows of the load are on other nodes of a Citus cluster.
	Spread bool
	// Distribution is how the staging table is distributed over a cluster.
	Distribution distribution.Distribution
	// Adopts is true if the table is kept as a version although the ledger that knew its run is lost.
	Adopts bool
}

// checker checks a table for a plan.
type checker struct {
	db      pg.Querier
	plan    *plan.Plan
	ledger  ledger.Ledger
	cluster citus.Cluster

	target target.Target
	index  job.Index
	others []catalog.IndexDef
	spread bool
	adopts bool

	distribution distribution.Distribution
}

// Target refuses an existing table if the job does not allow it, or if the job's choice could not be carried out
// at the end. It also chooses how the rows are published.
func Target(ctx context.Context, db pg.Querier, t catalog.Relation, p *plan.Plan, l ledger.Ledger, cluster citus.Cluster) (Checked, error) {
	c := &checker{db: db, plan: p, ledger: l, cluster: cluster, target: target.Target{Relation: t}, index: p.Job.Index}
	if err := c.check(ctx); err != nil {
		return Checked{}, err
	}

	if err := c.checkDistribution(ctx); err != nil {
		return Checked{}, err
	}

	return Checked{Target: c.target, Strategy: c.strategy(), Index: c.index, Others: c.others, Spread: c.spread, Distribution: c.distribution, Adopts: c.adopts}, nil
}

// strategy chooses how the rows are published. It is the only place that decides this.
func (c *checker) strategy() publish.Strategy {
	j, partitions := c.plan.Job, c.plan.Method == plan.MethodPartitions

	switch {
	case c.target.OID == 0:
		return publish.SwapTable{Target: c.target, Ledger: c.ledger}
	case j.IfExists == job.Append && partitions:
		return publish.AttachPartitions{Target: c.target, Ledger: c.ledger}
	case j.IfExists == job.Append:
		return publish.AppendRows{Target: c.target, Ledger: c.ledger, Skip: j.OnConflict == job.ConflictSkip}
	case partitions:
		return publish.SwapPartitions{Target: c.target, Ledger: c.ledger}
	case j.Publish == job.PublishTruncate:
		return publish.TruncateTable{Target: c.target, Ledger: c.ledger}
	}

	return publish.SwapTable{Target: c.target, Ledger: c.ledger}
}

func (c *checker) check(ctx context.Context) error {
	t, j := c.target.Relation, c.plan.Job
	if t.OID == 0 {
		return t.CheckName(ctx, c.db)
	}

	if j.IfExists == job.Fail {
		return t.Refuse("exists already: choose if-exists replace or append, or another name")
	}

	kind, isPartition, owned, err := t.Describe(ctx, c.db)
	if err != nil {
		return err
	}

	c.target.Partitioned = kind == "p"
	if err := checkKind(t, j, kind, isPartition); err != nil {
		return err
	}

	if j.IfExists == job.Append { // before asking the ledger, which a role without these privileges may not read either
		if err := checkInsert(ctx, c.db, t); err != nil {
			return err
		}
	}

	before, err := c.publishedBy(ctx)
	if err != nil {
		return err
	}

	if err := c.checkColumns(ctx, before); err != nil {
		return err
	}

	if c.target.Partitioned {
		if err := c.checkPartitioned(ctx, owned); err != nil {
			return err
		}
	}

	switch {
	case j.IfExists == job.Append:
		return c.checkAddTo(ctx, before)
	case j.Publish == job.PublishTruncate:
		return checkTruncate(ctx, c.db, t)
	}

	return c.checkReplace(ctx, owned)
}

// publishedBy returns the job that loaded the table. It refuses a table of another ledger if the job needs to
// know its rows. A table that is replaced for good may belong to any ledger.
func (c *checker) publishedBy(ctx context.Context) (*job.Job, error) {
	t := c.target.Relation

	before, err := c.ledger.PublishedBy(ctx, c.db, t.Table, t.OID)

	var other *ledger.OtherLedgerError
	if errors.As(err, &other) {
		if c.plan.Job.IfExists == job.Append { // checkKeep decides what is kept
			return nil, t.Refuse("%s", other.Reason())
		}

		return nil, nil
	}

	return before, err
}

// checkKind refuses a relation that is not a table, and a table with another layout than the job's.
func checkKind(t catalog.Relation, j job.Job, kind string, isPartition bool) error {
	switch {
	case kind != "r" && kind != "p":
		return t.Refuse("is not a table but %s: choose another name", catalog.RelationKind(kind))
	case isPartition:
		return t.Refuse("is a partition or a child of another table: choose another name")
	case kind == "r" && j.Partitions > 0:
		return t.Refuse("is a plain table, which a job with partitions can neither replace nor extend: leave partitions out, choose another name, or drop the table")
	case kind == "p" && j.Partitions == 0 && j.IfExists == job.Replace:
		return t.Refuse("is partitioned: set partitions, so that the new ones are attached to the same table, choose another name, or drop the table")
	}

	return nil
}

// checkColumns refuses a table with other columns than the job's if the table stays, or if no run loaded it.
func (c *checker) checkColumns(ctx context.Context, before *job.Job) error {
	t, j := c.target.Relation, c.plan.Job

	if err := c.target.Look(ctx, c.db); err != nil {
		return err
	}

	stays := c.target.Partitioned || j.IfExists == job.Append || j.Publish == job.PublishTruncate
	if other := catalog.DiffColumns(c.target.Columns, expectedTypes(j)); other != "" && (before == nil || stays) {
		return t.Refuse("exists with other columns: %s", other)
	}

	return nil
}

// checkReplace checks that the table, or its partitions, can be replaced.
func (c *checker) checkReplace(ctx context.Context, owned bool) error {
	t := c.target.Relation

	if !owned {
		return t.NotOwned("replacing")
	}

	if err := checkOwner(ctx, c.db, t); err != nil {
		return err
	}

	if err := c.checkKeep(ctx); err != nil {
		return err
	}

	if c.target.Partitioned {
		return nil // what depends on the table stays with it
	}

	return t.CheckDependents(ctx, c.db, catalog.TruncateInstead)
}

// checkKeep checks that the table's present version can be kept under a name.
func (c *checker) checkKeep(ctx context.Context) error {
	t, keep := c.target.Relation, c.plan.Job.Keep
	if keep == 0 {
		return nil
	}

	refuse := func(format string, args ...any) error {
		return &geomgen.ParamError{Param: "keep", Value: fmt.Sprint(keep), Reason: fmt.Sprintf(format, args...)}
	}

	version, found, err := c.ledger.ShownVersion(ctx, c.db, t.Table, t.OID)

	var other *ledger.OtherLedgerError

	switch {
	case err != nil && !errors.As(err, &other):
		return err
	case !found:
		return c.checkLost(ctx, other, refuse)
	}

	kept := catalog.Relation{Table: ledger.VersionName(t.Table, version)}
	if err := kept.Find(ctx, c.db); err != nil {
		return err
	}

	if kept.OID != 0 {
		return refuse("table %s blocks keeping the present version of table %s: rename or drop it", kept, t)
	}

	return kept.CheckName(ctx, c.db)
}

// checkLost accepts a table whose ledger is lost, and refuses another one that the ledger does not know. other is
// nil if no other ledger knows it either.
func (c *checker) checkLost(ctx context.Context, other *ledger.OtherLedgerError, refuse func(string, ...any) error) (err error) {
	t := c.target.Relation

	c.adopts, err = adopt.Lost(ctx, c.db, c.ledger, t)

	switch {
	case err != nil || c.adopts:
		return err
	case other != nil:
		return t.Refuse("%s", other.Reason())
	}

	return refuse("table %s was not published by a run under this name in the ledger in schema %s, so there is no run to roll back to: leave keep out this once, or rename the table",
		t, c.ledger.Schema)
}

// checkTruncate checks that the role can empty and fill the table.
func checkTruncate(ctx context.Context, db pg.Querier, t catalog.Relation) error {
	var may bool
	err := db.QueryRow(ctx, `select has_table_privilege($1::oid, 'SELECT') and has_table_privilege($1::oid, 'INSERT')
		and has_table_privilege($1::oid, 'TRUNCATE')`, t.OID).Scan(&may)
	if err != nil {
		return pg.Wrap(err, "looking up privileges on table %s", t.Table)
	}

	if !may {
		return &pg.ServerError{Doing: "emptying and filling table " + t.String(), Err: errors.New("the role lacks the privileges (SQLSTATE 42501)"),
			Advice: "grant select, insert, truncate on " + t.SQL() + " to it"}
	}

	return t.CheckForeignKeys(ctx, db)
}

// expectedTypes returns what Relation.ColumnTypes finds on a table that the job created.
func expectedTypes(j job.Job) []string {
	want := []string{j.IDColumn + " int8", "col int4", "row int4"}
	if j.HasGeometry() {
		want = append(want, j.GeomColumn+" "+j.GeometryType())
	}

	for _, c := range j.OtherColumns() {
		want = append(want, c.Name+" "+c.SQLType)
	}

	return want
}

// checkOwner checks that the new table can be given to the owner of the old one. If the owner is another role,
// the loading role must be a member of it.
func checkOwner(ctx context.Context, conn pg.Querier, t catalog.Relation) error {
	var owner, role string
	var creates, may bool
	err := conn.QueryRow(ctx, `
		select o.rolname, r.rolname, o.oid = r.oid or r.rolsuper or has_schema_privilege(o.oid, c.relnamespace, 'CREATE'),
		       case when current_setting('server_version_num')::int < 160000 then true else pg_has_role(o.oid, 'SET') end
		from pg_class c join pg_roles o on o.oid = c.relowner, pg_roles r where c.oid = $1 and r.rolname = current_user`,
		t.OID).Scan(&owner, &role, &creates, &may)

	quote := func(name string) string { return pgx.Identifier{name}.Sanitize() }
	fail := func(what, advice string) error {
		return &pg.ServerError{Doing: "replacing table " + t.String(), Err: errors.New(what + " (SQLSTATE 42501)"), Advice: advice}
	}

	switch {
	case err != nil:
		return pg.Wrap(err, "looking up the owner of table %s", t.Table)
	case !creates:
		return fail("its owner "+owner+" may not create tables in schema "+t.Schema+", so the new table cannot be given to it",
			"grant create on schema "+quote(t.Schema)+" to "+quote(owner))
	case !may:
		return fail("the role may not give tables to its owner "+owner, "grant "+quote(owner)+" to "+quote(role)+" with set true")
	}

	return nil
}
