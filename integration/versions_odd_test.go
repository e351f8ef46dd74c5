package integration

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Odd names: capitals, quotes, 63 bytes.
func TestKeepAndRollbackUnderOddNames(t *testing.T) {
	for name, table := range map[string]string{"quotes": `Grid "A".b'%s`, "long": strings.Repeat("ä", 30) + "xyz", "of 50 bytes": strings.Repeat("x", 50)} {
		for layout, extra := range map[string][]string{"plain": nil, "partitions": {"--partitions", "2"}} {
			t.Run(name+"/"+layout, func(t *testing.T) {
				s := newSandbox(t)
				arg := s.schema + "." + pgx.Identifier{table}.Sanitize()
				night := func(n int) {
					t.Helper()
					args := append(boxes(5+n, 5), "--if-exists", "replace", "--keep", "2", "--table", arg)
					mustCLI(t, s.dsn, s.load("x", append(args, extra...)...)...)
				}
				for n := 1; n <= 4; n++ {
					night(n)
				}
				s.checkCells(table, 9*5)
				mustCLI(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema)
				s.checkCells(table, 7*5)
				night(5)
				s.checkCells(table, 10*5)
				mustCLI(t, s.dsn, "runs", "rollback", "2", "--ledger-schema", s.schema)
				s.checkCells(table, 7*5)
			})
		}
	}
}
