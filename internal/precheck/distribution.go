package precheck

import (
	"context"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/internal/distribution"
	"github.com/loadgrid/loadgrid/internal/publish"
	"github.com/loadgrid/loadgrid/loader/job"
)

// checkDistribution refuses what a Citus cluster could not preserve, finds out whether rows of the load are on
// other nodes, and decides how the staging table is distributed. On a server without Citus, it asks nothing.
func (c *checker) checkDistribution(ctx context.Context) (err error) {
	if c.distribution, err = distribution.Choose(ctx, c.db, c.cluster, c.plan.Job, c.target.Relation); err != nil {
		return err
	}

	if !c.cluster.Installed() {
		return nil
	}

	there, err := c.cluster.Table(ctx, c.db, c.target.OID)
	if err != nil {
		return err
	}

	// A staging table in a distributed schema becomes distributed by itself.
	inSchema, err := c.cluster.SchemaDistributed(ctx, c.db, c.target.Schema)
	if err != nil {
		return err
	}

	c.spread = there.Distributed() || inSchema || c.distribution.Distributed()

	if err := c.checkStaysDistributed(there, inSchema); err != nil {
		return err
	}

	if c.plan.Job.OnConflict == job.ConflictSkip && there.Distributed() && !inSchema && !c.distribution.Distributed() {
		return &geomgen.ParamError{Param: "on-conflict", Value: string(job.ConflictSkip), Reason: fmt.Sprintf(
			"table %s is distributed by Citus (%s), which looks for existing cells only in colocated shards: choose distribute hash as well", c.target, there)}
	}

	return nil
}

// checkStaysDistributed refuses to replace a distributed table by an ordinary one.
func (c *checker) checkStaysDistributed(there citus.Table, inSchema bool) error {
	if there.Distributed() && !inSchema && c.plan.Job.Partitions > 0 {
		return c.target.Refuse("is distributed by Citus (%s), but new partitions would be local to the coordinator: leave partitions out, or choose another name", there)
	}

	_, swaps := c.strategy().(publish.SwapTable)
	if !swaps || !there.Distributed() || inSchema || c.distribution.Distributed() {
		return nil
	}

	return c.target.Refuse("is distributed by Citus (%s), but the new table would be local to the coordinator: choose distribute hash, which keeps it distributed, publish truncate, which fills the existing table, or another name", there)
}
