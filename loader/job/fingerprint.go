package job

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/loadgrid/loadgrid/geomgen"
)

// formatVersion is part of the fingerprint: it rises when the same job would
// give other rows, so that no run is resumed into a mix of both.
const formatVersion = 1

// Fingerprint tells whether two jobs put the same rows into the same table with
// the same columns and indexes. How fast they do it, and what becomes of the
// table that was there, is not part of it.
func (j Job) Fingerprint(cells geomgen.Range) string {
	var area, features string
	var rule geomgen.Rule
	if j.Area != nil {
		area, rule, features = j.Area.Digest(), j.Area.Rule, j.Area.FeaturesDigest()
	}

	// No constants are no constants, whether the list is empty or absent: the ledger
	// keeps neither.
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
		// What came later is left out where it is not used: fingerprints in ledgers
		// stay as they are.
		Extent   *geomgen.Box      `json:",omitempty"` // where Cells does not tell it
		Area     string            `json:",omitempty"`
		Rule     geomgen.Rule      `json:",omitempty"`
		Coverage bool              `json:",omitempty"`
		Clip     bool              `json:",omitempty"`
		Geometry geomgen.Geometry  `json:",omitempty"`
		Code     geomgen.Code      `json:",omitempty"`
		Order    geomgen.CodeOrder `json:",omitempty"`
		Unique   bool              `json:",omitempty"`
		Spread   string            `json:",omitempty"` // over a cluster
		Beside   Table             `json:",omitzero"`  // whose shards
		Parents  int               `json:",omitempty"`
		// What the area's features give to the rows. Their values are part of Features.
		Attributes []Attribute           `json:",omitempty"`
		Owner      geomgen.AttributeRule `json:",omitempty"`
		Each       Attribute             `json:",omitzero"`
		Features   string                `json:",omitempty"`
	}{formatVersion, j.Table, j.Grid, cells, j.IDColumn, j.GeomColumn, constants, string(j.Index), j.tableLayout(),
		j.maskExtent(), area, rule, j.Coverage, j.Clip, j.Geometry, j.Code, j.CodeOrder, j.CodeIndex,
		j.DistributionText(), j.ColocateWith, j.ParentLevels, j.Attributes, j.AttributeRule, j.Each, features})

	if err != nil {
		panic(err) // validated numbers and strings always marshal
	}

	sum := sha256.Sum256(b)

	return hex.EncodeToString(sum[:])
}

// maskExtent returns the extent where the rectangle of cells does not say it all.
func (j Job) maskExtent() *geomgen.Box {
	across := j.Extent != nil && j.Extent.XMin > j.Extent.XMax
	if j.Area == nil && j.Grid.Shape == geomgen.Square && j.Grid.Rotate == 0 && !across {
		return nil
	}

	return j.Extent
}

// tableLayout says how the table is made, for the fingerprint.
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
