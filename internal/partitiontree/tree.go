// Package partitiontree owns what the partitions of a table are, with those of partitions,
// and what of them has changed between two looks.
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

// Member is a partition of a table, or a partition of one.
type Member struct {
	job.Table
	OID, Parent uint32
	Bounds      string // a digest of what the catalogue has
}

// A partition that DETACH CONCURRENTLY is about to take away counts as gone. Servers before 14
// have no column for that.
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

// Read returns the partitions of a table, with those of partitions, by name.
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

// Diff says what became of the partitions that were there, and which are there that were
// not; both are empty where they are the same.
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

// gone says what became of a partition that is none any more, by its number: it may have
// another name.
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

// maxNamed bounds how many changes a message names.
const maxNamed = 5

// ListChanges puts changes into words for a message, the first ones where there are many.
func ListChanges(changes []string) string {
	if more := len(changes) - maxNamed; more > 0 {
		return strings.Join(changes[:maxNamed], ", ") + fmt.Sprintf(", and %d more", more)
	}

	return strings.Join(changes, ", ")
}
