package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
)

// formatVersion is part of the fingerprint. Increase it when the same job would produce other rows, so that no
// run is resumed into a mix of both.
const formatVersion = 1

// Fingerprint identifies the rows, table, columns and indexes of a job: two jobs with equal fingerprints load the
// same. Settings for speed, and for what happens to an existing table, are not part of it.
func (j Job) Fingerprint(cells geomgen.Range) string {
	var area, features string
	var rule geomgen.Rule
	if j.Area != nil {
		area, rule, features = j.Area.Digest(), j.Area.Rule, j.Area.FeaturesDigest()
	}

	// The ledger does not distinguish an empty list of constants from a missing one.
	constants := j.Set
	if len(constants) == 0 {
		constants = nil
	}

	b, err := json.Marshal(struct {
		Format  int
		Table   Table
		Grid    geomgen.Grid
		Cells   geomgen.Range
		ID      string
		Geom    string
		Set     []Constant
		Indexes string
		Layout  string
		// Newer settings are left out if unused, so that fingerprints in existing ledgers stay valid.
		Extent   *geomgen.Box      `json:",omitempty"` // if Cells does not determine it
		Area     string            `json:",omitempty"`
		Rule     geomgen.Rule      `json:",omitempty"`
		Coverage bool              `json:",omitempty"`
		Clip     bool              `json:",omitempty"`
		Geometry geomgen.Geometry  `json:",omitempty"`
		Code     geomgen.Code      `json:",omitempty"`
		Order    geomgen.CodeOrder `json:",omitempty"`
		Unique   bool              `json:",omitempty"`
		Spread   string            `json:",omitempty"` // how rows are distributed over a cluster
		Beside   Table             `json:",omitzero"`  // the table whose shards are colocated
		Parents  int               `json:",omitempty"`
		// What rows take from the area's features. The values are part of Features.
		Attributes []Attribute           `json:",omitempty"`
		Owner      geomgen.AttributeRule `json:",omitempty"`
		Each       Attribute             `json:",omitzero"`
		Features   string                `json:",omitempty"`
	}{formatVersion, j.Table, j.Grid, cells, j.IDColumn, j.GeomColumn, constants, string(j.Index), j.tableLayout(),
		j.maskExtent(), area, rule, j.Coverage, j.Clip, j.Geometry, j.Code, j.CodeOrder, j.CodeIndex,
		j.DistributionText(), j.ColocateWith, j.ParentLevels, j.Attributes, j.AttributeRule, j.Each, features})

	if err != nil {
		panic(err) // validated numbers and strings can always be marshalled
	}

	sum := sha256.Sum256(b)

	return hex.EncodeToString(sum[:])
}

// maskExtent returns the extent if the range of cells does not determine it.
func (j Job) maskExtent() *geomgen.Box {
	across := j.Extent != nil && j.Extent.XMin > j.Extent.XMax
	if j.Area == nil && j.Grid.Shape == geomgen.Square && j.Grid.Rotate == 0 && !across {
		return nil
	}

	return j.Extent
}

// tableLayout describes the structure of the table for the fingerprint.
func (j Job) tableLayout() string {
	layout := "plain"
	if j.Partitions > 0 {
		layout = fmt.Sprintf("%d partitions", j.Partitions)
	}

	if j.Unlogged {
		layout += ", unlogged"
	}

	return layout
}
