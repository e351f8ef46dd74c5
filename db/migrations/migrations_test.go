package migrations_test

import (
	"fmt"

	"github.com/loadgrid/loadgrid/db/migrations"
)

// The version that Up brings a ledger to.
func ExampleLatest() {
	fmt.Println(migrations.Latest())
	// Output: 11 <nil>
}
