package catalog

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/job"
)

// PartitionIndex returns the name of the k-th index of a partition: partition_label.
// Where that is longer than PostgreSQL keeps, the number of the partition, which its
// name ends in, goes to the end together with k: cut off, it would leave all
// partitions with the same names.
func PartitionIndex(partition, label string, k int) string {
	if len(partition)+len("_")+len(label) <= job.MaxIdentifier {
		return partition + "_" + label
	}
	at := strings.LastIndexByte(partition, '_')
	return ObjectName(partition[:at], label, partition[at+1:]+"_"+strconv.Itoa(k))
}

// IndexLabels returns, for each partition, what its indexes are called behind the
// name of the partition. They are looked up: a run that was begun with other
// indexes, or a parent that has more, makes partitions that differ.
func IndexLabels(ctx context.Context, tx pgx.Tx, parts []Partition) ([][]string, error) {
	var schemas, names []string
	for _, p := range parts {
		schemas, names = append(schemas, p.Schema), append(names, p.Name)
	}
	rows, err := tx.Query(ctx, `
		select u.n, substr(c.relname, length(u.name) + 2)
		from unnest($1::text[], $2::text[]) with ordinality u (schema_name, name, n)
		join pg_namespace s on s.nspname = u.schema_name join pg_class t on t.relnamespace = s.oid and t.relname = u.name
		join pg_index i on i.indrelid = t.oid join pg_class c on c.oid = i.indexrelid and starts_with(c.relname, u.name || '_')
		order by u.n, c.oid`, schemas, names)
	if err != nil {
		return nil, pg.Wrap(err, "looking for the indexes of %d partitions", len(parts))
	}
	labels := make([][]string, len(parts))
	var n int
	var label string
	_, err = pgx.ForEachRow(rows, []any{&n, &label}, func() error {
		labels[n-1] = append(labels[n-1], label)
		return nil
	})
	return labels, pg.Wrap(err, "looking for the indexes of %d partitions", len(parts))
}
