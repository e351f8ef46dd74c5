package migrations_test

import (
	"fmt"

	"github.com/loadgrid/loadgrid/db/migrations"
)

// The version to which Up brings a ledger.
func ExampleLatest() {
	fmt.Println(migrations.Latest())
	// Output: 11 <nil>
}
