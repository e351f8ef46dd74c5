// Package distribution owns how a table is spread over the nodes of a Citus cluster: what a job
// comes to there, the statement that does it, and what the coordinator's own catalogue does not
// tell of such a table, its size and its rows.
package distribution

import (
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Distribution is how a table is spread. The zero value is a table that is on one server.
type Distribution struct {
	Column string    // its hash decides on the shard of a row
	Shards int       // how many; 0 where Beside has them
	Beside job.Table // a table whose shards lie on the same nodes; the zero value for none
}

// Distributed reports whether the table is spread at all.
func (d Distribution) Distributed() bool { return d.Column != "" }

// SQL returns the statement that spreads a table, which must be empty: rows that are there
// would go through the coordinator a second time.
func (d Distribution) SQL(t job.Table) string {
	where := fmt.Sprintf("shard_count => %d", d.Shards)
	if d.Beside != (job.Table{}) {
		where = "colocate_with => " + literal(catalog.QuoteTable(d.Beside))
	}

	return fmt.Sprintf("select pg_catalog.create_distributed_table(%s, %s, 'hash', %s)", literal(catalog.QuoteTable(t)), literal(d.Column), where)
}

// literal returns a text for SQL, whatever standard_conforming_strings says.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(s) + "'"
}
