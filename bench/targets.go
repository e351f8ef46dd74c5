package main

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// target is a figure that loadgrid aims at.
type target struct {
	what   string
	want   float64
	atMost bool    // else at least
	got    float64 // NaN if it was not measured
}

func (t target) reached() bool {
	if t.atMost {
		return t.got <= t.want
	}
	return t.got >= t.want
}

// serverTargets are the targets for each measured version of the server. seconds returns the
// median of a contender in an arm.
func (m *measurements) serverTargets(seconds func(id, name string) float64) (all []target) {
	for _, version := range serverVersions() {
		ready := serverID(version)
		if len(m.get(ready).Contenders) == 0 {
			continue
		}

		peer := math.Min(seconds(ready, nameSeries), seconds(ready, nameSquare))
		where := ", 3.2 million cells, PostgreSQL " + version
		all = append(all,
			target{"plain + GiST against the faster SQL alone" + where, 1.25, false, peer / seconds(ready, namePlain)},
			target{"partitioned + GiST against the faster SQL alone" + where, 1.6, false, peer / seconds(ready, nameParts)},
			target{"partitioned + BRIN against the faster SQL alone with GiST" + where, 2, false, peer / seconds(ready, namePartsBR)})
	}

	return all
}

// targets compares the measurements with the targets for two cores.
func (m *measurements) targets() []target {
	seconds := func(id, name string) float64 {
		if s := m.get(id).find(name).seconds().median; s > 0 {
			return s
		}
		return math.NaN()
	}

	var all []target
	least := func(what string, want, got float64) { all = append(all, target{what, want, false, got}) }
	most := func(what string, want, got float64) { all = append(all, target{what, want, true, got}) }

	for _, server := range []string{untuned, tuned} {
		ready := "ready_3.2_" + server
		peer := math.Min(seconds(ready, nameSeries), seconds(ready, nameSquare))
		where := ", 3.2 million cells, " + server
		least("plain + GiST against the faster SQL alone"+where, 1.4, peer/seconds(ready, namePlain))
		least("partitioned + GiST against the faster SQL alone"+where, 1.7, peer/seconds(ready, nameParts))
		least("partitioned + BRIN against the faster SQL alone with GiST"+where, 2.5, peer/seconds(ready, namePartsBR))
		least("partitioned + BRIN against the faster SQL alone with BRIN"+where, 1.3, math.Min(seconds(ready, nameSeriesBR), seconds(ready, nameSquareBR))/seconds(ready, namePartsBR))
		load := "load_3.2_" + server
		most("load alone, relative to the server's limit, FREEZE"+where, 1.1, seconds(load, nameLoad)/seconds(load, nameLimit))
		most("load alone, relative to the server's limit, chunks"+where, 1.1, seconds(load, nameLoadChunks)/seconds(load, nameLimitChunks))
		small := "ready_0.8_" + server
		where = ", 0.8 million cells, " + server
		least("plain against ogr2ogr"+where, 3.5, seconds(small, nameOgr)/seconds(small, namePlain))
		least("partitioned against ogr2ogr"+where, 4.5, seconds(small, nameOgr)/seconds(small, nameParts))
		least("plain against GeoPandas"+where, 14, seconds(small, nameGeoPandas)/seconds(small, namePlain))
		least("partitioned against GeoPandas"+where, 17, seconds(small, nameGeoPandas)/seconds(small, nameParts))
		most("time of 29.9 million cells, partitioned + GiST, relative to 3.2 million, "+server, 12,
			seconds("ready_30_"+server, nameParts)/seconds(ready, nameParts))
	}

	all = append(all, m.serverTargets(seconds)...)

	for _, server := range []string{untuned, tuned} {
		window := m.get(queryID("window_100", server))
		pages := func(table string) float64 { return window.find(table).stage("buffers").median }
		most("pages that a window of 100 x 100 cells reads, relative to ST_SquareGrid, GiST, "+server, 0.1, pages(tableLoadgrid)/pages(tableSquare))
		most("the same, BRIN, "+server, 0.1, pages(tableBRIN)/pages(tableSquareBRIN))
	}

	least("generation on two cores against list(map(box))", 500, seconds("generate", nameList)/seconds("generate", nameGeomgen2))
	growth := growthGrids()
	perRow := func(g grid) float64 { return seconds("growth", growthName(g)) / float64(g.cells()) }
	most("time of a row in the load stage, 29.9 million cells relative to 1 million", 1.4, perRow(growth[len(growth)-1])/perRow(growth[0]))
	least("selecting a million cells by an area of 20,000 corners, against ST_SquareGrid filtered by ST_Intersects", 20,
		seconds("mask_decide", nameDecideSQL)/seconds("mask_decide", nameDecide))
	least("the same ready to query, plain + GiST", 2, seconds("mask_ready", nameMaskSQL)/seconds("mask_ready", nameMask))
	least("the same with coverage, within 1e-6, against ST_Covers first", 3, seconds("mask_coverage", nameCoverageSQL)/seconds("mask_coverage", nameCoverage))
	most("30 million cells by an area of 10,000 corners, relative to a rectangle of as many cells", 1.1, seconds("mask_30", nameCoast)/seconds("mask_30", nameRectangle))
	most("seconds that `plan` takes for this area", 2, seconds("mask_30", nameCoastPlan))
	most("greatest memory of the client, MiB", 64, m.greatestMemory())

	return append(append(all, m.featureTargets(seconds)...), m.pointTargets(seconds)...)
}

// featureTargets are the targets for attributes and pairs. seconds returns the median of a contender in an arm.
func (m *measurements) featureTargets(seconds func(id, name string) float64) (all []target) {
	for _, l := range featureLayers() {
		attributes, pairs := "attributes_"+l.id, "pairs_"+l.id
		if len(m.get(attributes).Contenders) == 0 {
			continue
		}

		if l.features > 0 && l.features <= 100 { // edges cross few cells
			all = append(all, target{"attributes of " + l.what + ", relative to a rectangle of as many cells", 1.5, true, seconds(attributes, nameOwner) / seconds(attributes, nameAsManyCells)})
			continue
		}

		owner := math.Min(seconds(attributes, nameOwner), seconds(attributes, nameOwnerParts))
		pair := math.Min(seconds(pairs, namePairs), seconds(pairs, namePairsParts))
		all = append(all,
			target{"attributes of " + l.what + ", against SQL alone", 10, false, seconds(attributes, nameOwnerSQL) / owner},
			target{"the same, against SQL alone with parallel workers", 10, false, seconds(attributes, nameOwnerParallel) / owner},
			target{"pairs of the same, against SQL alone", 10, false, seconds(pairs, namePairsSQL) / pair},
			target{"the same, against SQL alone with parallel workers", 10, false, seconds(pairs, namePairsParallel) / pair})
	}

	return all
}

// greatestMemory is the most that any loadgrid process held, in MiB.
func (m *measurements) greatestMemory() float64 {
	most := math.NaN()
	for _, r := range m.Results {
		if strings.HasPrefix(r.ID, "attributes_") || strings.HasPrefix(r.ID, "pairs_") { // their clients hold the features in memory
			continue
		}

		for _, c := range r.Contenders {
			if c.memory().most > 0 && isLoadgrid(c.Name) {
				most = math.Max(c.memory().most/(1<<20), zeroForNaN(most))
			}
		}
	}
	return most
}

func zeroForNaN(f float64) float64 {
	if math.IsNaN(f) {
		return 0
	}
	return f
}

func (m *measurements) writeTargets(b *bytes.Buffer) {
	fmt.Fprint(b, "\n## Figures and their targets\n\nIn this table, *against* means how many times as fast, and *relative to* is the ratio of two times or two numbers of pages.\n\n| | target | measured | |\n|---|---|---|---|\n")
	for _, t := range m.targets() {
		limit, verdict := "at least", "reached"
		if t.atMost {
			limit = "at most"
		}

		measured := fmt.Sprintf("%.2f", t.got)
		switch {
		case math.IsNaN(t.got):
			measured, verdict = "", "not measured"
		case !t.reached():
			verdict = "**falls short**"
		}
		fmt.Fprintf(b, "| %s | %s %g | %s | %s |\n", t.what, limit, t.want, measured, verdict)
	}
}
