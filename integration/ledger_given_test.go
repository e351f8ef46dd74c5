package integration

import (
	"strings"
	"testing"
)

// A superuser has loaded first. The SQL of docs/security.md gives the ledger to the role that loads from then on.
func TestALedgerIsGivenToARole(t *testing.T) {
	t.Parallel()
	admin, as, role := documentedRole(t)
	reader := strings.Replace(role, "loader_of_", "reader_of_", 1)
	load := func(table string, args ...string) []string {
		return append([]string{"load", "--table", "grids." + table, "--cell-size", "1", "--cols", "2", "--rows", "2", "--ledger-schema", "loadgrid"}, args...)
	}
	list := []string{"runs", "list", "--ledger-schema", "loadgrid"}

	admin.exec("revoke create on schema loadgrid from " + role)
	mustCLI(t, admin.dsn, load("first")...)
	cli(t, as.dsn, load("second")...).expect(t, 1, "permission denied", "docs/security.md")

	admin.exec("grant create on schema loadgrid to " + role)
	admin.exec(documentedSQL(t, "A ledger that another role made", "grid_loader", role, "grid_reader", reader))
	mustCLI(t, as.dsn, load("second")...)
	mustCLI(t, as.dsn, "migrate", "up", "--ledger-schema", "loadgrid")

	cli(t, admin.dsn, list...).expect(t, 1, role+" owns the schema", "set ledger-owner to it")
	mustCLI(t, admin.dsn, append(list, "--ledger-owner", role)...)
}
