// Package partitiontree owns the list of a table's partitions, with subpartitions, and the changes
// in it between two looks.
package partitiontree

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Member is a partition of a table, or a subpartition.
type Member struct {
	job.Table
	OID, Parent uint32
	Bounds      string // a digest of the bounds in the catalogue
}

// A partition that DETACH CONCURRENTLY is detaching counts as gone. Servers before 14 have no
// column for that.
const treeSQL = `
	with recursive tree (oid, parent) as (
		select i.inhrelid, i.inhparent from pg_inherits i
		where i.inhparent = $1 and (to_jsonb(i) ->> 'inhdetachpending')::boolean is not true
		union all
		select i.inhrelid, i.inhparent from pg_inherits i join tree t on t.oid = i.inhparent
		where (to_jsonb(i) ->> 'inhdetachpending')::boolean is not true
	)
	select c.oid, t.parent, n.nspname, c.relname, coalesce(md5(c.relpartbound::text), '')
	from tree t join pg_class c using (oid) join pg_namespace n on n.oid = c.relnamespace order by 3, 4`

// Read returns the partitions of a table, with subpartitions, by name.
func Read(ctx context.Context, q pg.Querier, t catalog.Relation) ([]Member, error) {
	rows, err := q.Query(ctx, treeSQL, t.OID)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the partitions of %s", t.Table)
	}

	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Member, err error) {
		err = row.Scan(&m.OID, &m.Parent, &m.Schema, &m.Name, &m.Bounds)
		return m, err
	})

	return list, pg.Wrap(err, "looking for the partitions of %s", t.Table)
}

// Diff describes what happened to the earlier partitions, and which partitions are new. Both lists
// are empty if nothing has changed.
func Diff(ctx context.Context, q pg.Querier, was, now []Member) (changed, added []string, err error) {
	find := func(list []Member, oid uint32) *Member {
		i := slices.IndexFunc(list, func(m Member) bool { return m.OID == oid })
		if i < 0 {
			return nil
		}

		return &list[i]
	}

	for _, m := range was {
		switch present := find(now, m.OID); {
		case present == nil:
			state, err := gone(ctx, q, m)
			if err != nil {
				return nil, nil, err
			}

			changed = append(changed, state)
		case present.Table != m.Table:
			changed = append(changed, fmt.Sprintf("partition %s was renamed to %s", m.Table, present.Table))
		case present.Parent != m.Parent, present.Bounds != m.Bounds:
			changed = append(changed, fmt.Sprintf("partition %s was attached to other bounds", m.Table))
		}
	}

	for _, m := range now {
		if find(was, m.OID) == nil {
			added = append(added, fmt.Sprintf("partition %s was attached or made", m.Table))
		}
	}

	return changed, added, nil
}

// gone describes what happened to a table that is no longer a partition. It finds the table by its
// OID, because it may have another name.
func gone(ctx context.Context, q pg.Querier, m Member) (string, error) {
	now, err := catalog.NameOf(ctx, q, m.OID)

	switch {
	case err != nil:
		return "", err
	case now.Name == "":
		return fmt.Sprintf("partition %s was dropped", m.Table), nil
	case now != m.Table:
		return fmt.Sprintf("partition %s was detached and is called %s", m.Table, now), nil
	}

	return fmt.Sprintf("partition %s was detached", m.Table), nil
}

// maxNamed is the maximum number of changes that a message names.
const maxNamed = 5

// ListChanges writes changes for a message, only the first ones if there are many.
func ListChanges(changes []string) string {
	if more := len(changes) - maxNamed; more > 0 {
		return strings.Join(changes[:maxNamed], ", ") + fmt.Sprintf(", and %d more", more)
	}

	return strings.Join(changes, ", ")
}
