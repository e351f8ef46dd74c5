package build

import "context"

// gistScanShare is the share of a GiST build that the server spends reading the table if it sorts: after that it
// sorts the boxes and writes the pages, and reports nothing. With 6 million cells the scan took 0.38 to 0.46 of the
// time if nothing else was built, and 0.6 alongside the key.
const gistScanShare = 0.5

// gistShareSQL returns how much is done of a stage with a GiST index, which takes longest. $2 is the share of the
// scan if the server sorts, which function 11 of the operator class shows. Otherwise the server inserts each box
// while it reads. PostgreSQL reports phases for the build of a B-tree, and none for GiST or BRIN. BRIN begins later
// and so has the higher number. A finished index is in the catalogue already.
const gistShareSQL = `
	select case
		when exists (select from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
		             where i.indrelid = $1 and a.amname = 'gist') then 0.95
		else coalesce((select case when exists (
		                          select from pg_opclass o join pg_am m on m.oid = o.opcmethod join pg_type t on t.oid = o.opcintype
		                          join pg_amproc p on p.amprocfamily = o.opcfamily
		                          where m.amname = 'gist' and o.opcdefault and t.typname = 'geometry' and p.amprocnum = 11)
		                      then $2::float8 else 0.95 end * blocks_done / nullif(blocks_total, 0) from pg_stat_progress_create_index
		               where relid = $1 and datname = current_database() and phase = 'building index'
		               order by index_relid limit 1), 0) end`

// indexShareSQL adds up $2 indexes of other kinds. A B-tree reports the table scan in blocks and then its own
// writing in tuples, each about half of the time.
const indexShareSQL = `
	select ((select count(*) from pg_index where indrelid = $1)
	     + coalesce(sum(case when phase = 'building index' then 1 else 0.5 end * blocks_done / nullif(blocks_total, 0)
	                    + coalesce(0.5 * tuples_done / nullif(tuples_total, 0), 0)), 0))::float8 / $2
	from pg_stat_progress_create_index where relid = $1 and datname = current_database()`

// watchIndexes reports how much of the indexes is built, until the returned function is called.
func (b Builder) watchIndexes(ctx context.Context, gist bool) (stop func()) {
	if !gist {
		return b.watch(ctx, indexShareSQL, len(b.Work.Indexes)+1)
	}

	return b.watch(ctx, gistShareSQL, gistScanShare)
}
