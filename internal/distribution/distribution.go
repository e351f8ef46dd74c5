// Package distribution owns how a table is distributed over the nodes of a Citus cluster: what a
// job requires there, the statement that distributes the table, and the size and rows of such a
// table, which the coordinator's own catalogue does not have.
package distribution

import (
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/internal/catalog"
	"github.com/loadgrid/loadgrid/loader/job"
)

// Distribution is how a table is distributed. The zero value is a table on one server.
type Distribution struct {
	Column string    // the column whose hash determines the shard of a row
	Shards int       // number of shards; 0 if Beside determines it
	Beside job.Table // a table to colocate with; the zero value for none
}

// Distributed reports whether the table is distributed at all.
func (d Distribution) Distributed() bool { return d.Column != "" }

// SQL returns the statement that distributes a table. The table must be empty: existing rows would
// go through the coordinator a second time.
func (d Distribution) SQL(t job.Table) string {
	where := fmt.Sprintf("shard_count => %d", d.Shards)
	if d.Beside != (job.Table{}) {
		where = "colocate_with => " + literal(catalog.QuoteTable(d.Beside))
	}

	return fmt.Sprintf("select pg_catalog.create_distributed_table(%s, %s, 'hash', %s)", literal(catalog.QuoteTable(t)), literal(d.Column), where)
}

// literal quotes a text for SQL, for any value of standard_conforming_strings.
func literal(s string) string {
	return "E'" + strings.NewReplacer(`'`, `''`, `\`, `\\`).Replace(s) + "'"
}
