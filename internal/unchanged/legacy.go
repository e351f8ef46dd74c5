package unchanged

import (
	"context"
	"strings"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/loader/ledger"
)

// legacySQL describes columns and indexes as a loadgrid before format 2 recorded them.
const legacySQL = `
	select array(select a.attname || ' ' || case y.typname when 'geometry' then
	                        regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*geometry', 'geometry')
	                    else y.typname end
	             from pg_attribute a join pg_type y on y.oid = a.atttypid
	             where a.attrelid = $1 and a.attnum > 0 and not a.attisdropped order by a.attnum),
	       array(select m.amname || case when i.indisunique then ' unique' else '' end || ' (' ||
	                    (select string_agg(pg_get_indexdef(i.indexrelid, k, true), ', ' order by k) from generate_series(1, i.indnkeyatts) k) || ')' ||
	                    coalesce(' where ' || pg_get_expr(i.indpred, i.indrelid), '')
	             from pg_index i join pg_class x on x.oid = i.indexrelid join pg_am m on m.oid = x.relam
	             where i.indrelid = $1 and i.indisvalid and i.indisready order by 1)`

// inFormatOf returns the recorded and the current state in the same format. The server quotes names
// in text depending on its current settings, so the comparison ignores quotes.
func inFormatOf(ctx context.Context, q pg.Querier, t catalog.Relation, recorded, now ledger.TableState) (a, b ledger.TableState, err error) {
	if recorded.Format != 0 {
		return recorded, now, nil
	}

	if err := q.QueryRow(ctx, legacySQL, t.OID).Scan(&now.Columns, &now.Indexes); err != nil {
		return recorded, now, pg.Wrap(err, "looking at the columns and indexes of table %s", t.Table)
	}

	recorded.Columns, recorded.Indexes = withoutQuotes(recorded.Columns), withoutQuotes(recorded.Indexes)
	now.Columns, now.Indexes = withoutQuotes(now.Columns), withoutQuotes(now.Indexes)

	return recorded, now, nil
}

func withoutQuotes(list []string) []string {
	plain := make([]string, len(list))
	for i, s := range list {
		plain[i] = strings.ReplaceAll(s, `"`, "")
	}

	return plain
}
