package doctor

import (
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/internal/precheck"
)

func judgePostGIS(f facts) []Finding {
	p := f.PostGIS
	if p.Version == "" {
		return []Finding{{Check: "postgis", Level: Problem, Found: "not in this database",
			Reason: "loadgrid loads PostGIS geometries. The owner of the database can create the extension once its package is installed on the server.",
			SQL:    []string{"create extension postgis"}, Takes: AtOnce}}
	}

	return []Finding{f.judgeVersion(), f.judgeUsable(), f.judgeGiST()}
}

func (f facts) judgeVersion() Finding {
	p := f.PostGIS
	finding := Finding{Check: "postgis", Level: OK, Found: p.Version}

	switch {
	case precheck.VersionLess(p.Version, precheck.MinPostGIS):
		finding.Level = Problem
		finding.Reason = "loadgrid needs PostGIS " + precheck.MinPostGIS + " or newer."
	case precheck.VersionLess(newestPostGIS, p.Version):
		finding.Level = Advice
		finding.Reason = fmt.Sprintf("Not tested: loadgrid was tested on PostGIS %s to %s. Load a small table first.", precheck.MinPostGIS, newestPostGIS)
	default:
		finding.Reason = fmt.Sprintf("loadgrid supports PostGIS %s to %s.", precheck.MinPostGIS, newestPostGIS)
	}

	if p.Installed != "" && precheck.VersionLess(p.Version, p.Installed) {
		if finding.Level == OK {
			finding.Level = Advice
		}
		finding.Reason += " The server has the package of " + p.Installed + ", but the database still has the functions of " + p.Version + "."
		finding.SQL, finding.Takes = []string{"alter extension postgis update"}, AtOnce
	}

	return finding
}

func (f facts) judgeUsable() Finding {
	p := f.PostGIS
	if p.Usable {
		return Finding{Check: "postgis_schema", Level: OK, Found: p.Schema, Reason: "The role may use it."}
	}

	return Finding{Check: "postgis_schema", Level: Problem, Found: "the role may not use schema " + p.Schema,
		Reason: "PostGIS is in this schema, and every statement with a geometry needs it.",
		SQL:    []string{statement("grant usage on schema %s to %s", p.Schema, f.Role.Name)}, Takes: AtOnce}
}

func (f facts) judgeGiST() Finding {
	if f.Server.Traits.SortsGiST {
		return Finding{Check: "gist_build", Level: OK, Found: "sorts", Reason: "This server sorts the rows to build a GiST index."}
	}

	return Finding{Check: "gist_build", Level: Advice, Found: "inserts row by row",
		Reason: "PostgreSQL 15 with PostGIS 3.3 or newer sorts the rows to build a GiST index. Here --index brin avoids the build.",
		Cost:   "The index of 3.2 million cells took 22.0 s on PostgreSQL 13 with PostGIS 3.1, and 4.6 s on 15 with 3.3.", MeasuredIn: benchmarks}
}

func judgeSystems(f facts) []Finding {
	s, p := f.Systems, f.PostGIS

	switch table := statement("%s", p.Schema) + ".spatial_ref_sys"; {
	case p.Version == "" || !p.Usable: // the findings above report it
		return nil
	case !s.Present:
		return []Finding{{Check: "spatial_ref_sys", Level: Problem, Found: "missing from schema " + p.Schema,
			Reason: "A load with --srid looks up the CRS there. Somebody has dropped or moved the table: create the extension again in a new database, or restore the table."}}
	case !s.Readable:
		return []Finding{{Check: "spatial_ref_sys", Level: Problem, Found: "the role may not read it", Reason: "A load with --srid looks up the CRS there.",
			SQL: []string{"grant select on " + table + " to " + statement("%s", f.Role.Name)}, Takes: AtOnce}}
	}

	finding := Finding{Check: "spatial_ref_sys", Level: OK, Found: formatCount(s.Rows) + " rows", Reason: "EPSG:4326 and EPSG:3035 are as PostGIS defines them."}
	if len(s.Missing)+len(s.Other) == 0 {
		return []Finding{finding}
	}

	var wrong []string
	for _, srid := range s.Missing {
		wrong = append(wrong, fmt.Sprintf("%d is missing", srid))
	}
	for _, srid := range s.Other {
		wrong = append(wrong, fmt.Sprintf("%d is another CRS", srid))
	}

	finding.Level, finding.Found = Problem, finding.Found+", "+strings.Join(wrong, ", ")
	finding.Reason = "Somebody has changed the rows that PostGIS installs. A load with such an --srid is refused, or transforms areas incorrectly. " +
		"The file spatial_ref_sys.sql of PostGIS, in the server's directory share/contrib, has the original rows."

	return []Finding{finding}
}
