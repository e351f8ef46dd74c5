package catalog

import (
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/loader/job"
)

func TestObjectName(t *testing.T) {
	long := strings.Repeat("ä", 31) + "x"
	for _, test := range []struct{ table, column, label, want string }{
		{"grid", "", "pkey", "grid_pkey"},
		{"grid", "geom", "idx", "grid_geom_idx"},
		{long, "", "pkey", strings.Repeat("ä", 29) + "_pkey"},
		{"grid", long, "idx", "grid_" + strings.Repeat("ä", 27) + "_idx"},
		{"loadgrid_staging_0a1b2c3d_4e5f6071_p10", long, "idx", "loadgrid_staging_0a1b2c3d_4e5f6071_p10_" + strings.Repeat("ä", 10) + "_idx"},
		{long, long, "idx", strings.Repeat("ä", 15) + "_" + strings.Repeat("ä", 14) + "_idx"},
	} {
		if got := ObjectName(test.table, test.column, test.label); got != test.want || len(got) > job.MaxIdentifier {
			t.Errorf("objectName(%q, %q, %q) = %q, want %q", test.table, test.column, test.label, got, test.want)
		}
	}
}
