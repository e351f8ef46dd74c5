package catalog

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/loader/job"
)

// AlignIndexes gives the parent, which has no partitions at this moment, the spatial indexes of a job, and drops
// those of an earlier job. Otherwise, attaching a partition would build the parent's indexes that the partition
// lacks.
func (t Relation) AlignIndexes(ctx context.Context, tx pgx.Tx, j job.Job, index job.Index) error {
	have, err := t.SpatialIndexNames(ctx, tx, j.GeomColumn)
	if err != nil {
		return err
	}

	var sql []string
	wanted := map[string]bool{}

	for _, d := range SpatialIndexes(t.Table, j, index) {
		wanted[d.Method] = true
		if have[d.Method] == nil {
			sql = append(sql, d.CreateSQL(t.Table))
		}
	}

	for _, d := range SpatialIndexes(t.Table, j, job.IndexBoth) {
		for _, name := range have[d.Method] {
			if !wanted[d.Method] && name == d.Name {
				sql = append(sql, "drop index "+QuoteTable(job.Table{Schema: t.Schema, Name: name}))
			}
		}
	}

	err = pipeline.Exec(ctx, tx, sql...)

	return pg.Wrap(err, "giving table %s the indexes of the job", t.Table)
}
