package distribution

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/pipeline"
	"github.com/loadgrid/loadgrid/internal/setting"
)

// SetLocal sets a parameter of the server until the end of the transaction. If spread is true,
// tables of the transaction have rows on other nodes of a Citus cluster, and SetLocal also sets the
// parameter there. In that case, call it before the tables are used. Citus passes on SET LOCAL, but
// not set_config. The commit of such a transaction waits for the disk.
func SetLocal(ctx context.Context, tx pgx.Tx, spread bool, p setting.Parameter) error {
	if !spread {
		return setting.SetLocal(ctx, tx, p)
	}

	if err := setting.WaitForDisk(ctx, tx); err != nil {
		return err
	}

	err := pipeline.Exec(ctx, tx,
		"set local citus.propagate_set_commands = 'local'",
		fmt.Sprintf("set local %s = %s", p.Name, literal(p.Value)),
		"set local citus.propagate_set_commands = 'none'")

	return pg.Wrap(err, "setting %s on the nodes of the cluster", p.Name)
}
