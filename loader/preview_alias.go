package loader

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/loadgrid/loadgrid/internal/preview"
)

// Preview is what a table holds, or a sample of it.
type Preview = preview.Preview

// NewPreview reads a table's geometries: see preview.New.
func NewPreview(ctx context.Context, pool *pgxpool.Pool, table Table, column string) (*Preview, error) {
	return preview.New(ctx, pool, table, column)
}
