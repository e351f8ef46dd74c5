// Package units measures how large cells are on the ground, and checks whether numbers fit the unit and the
// domain of a CRS.
package units

import (
	"fmt"
	"math"
	"strconv"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/loader/crs"
)

// Warning describes, for people, a setting that is possible but probably a mistake.
type Warning struct {
	Param string `json:"param"` // parameter that it is about, as in loadgrid's flags
	Text  string `json:"text"`
}

// Check returns warnings if the size of cells, or the box that they cover, hardly fits a CRS. All numbers are in
// its units; a size of 0 means none. param is the parameter that sets the box. It returns at most one warning:
// the first mistake explains the others.
func Check(c crs.CRS, param string, reach geomgen.Box, width, height float64) []Warning {
	u := numbers{crs: c, param: param, reach: reach, width: width, height: height, name: "EPSG:" + strconv.Itoa(int(c.SRID))}
	checks := []func() *Warning{}

	switch c.Kind {
	case crs.Geographic:
		checks = append(checks, u.beyondWorld, u.coarse, u.beyondDomain, u.outsideDomain)
	case crs.Projected:
		checks = append(checks, u.degrees, u.fine, u.beyondDomain, u.outsideDomain)
	}

	for _, check := range checks {
		if w := check(); w != nil {
			return []Warning{*w}
		}
	}

	return nil
}

// numbers are a size of cells, and the box that they cover, in a CRS.
type numbers struct {
	crs           crs.CRS
	name          string
	param         string
	reach         geomgen.Box
	width, height float64
}

func warn(param, format string, args ...any) *Warning {
	return &Warning{param, fmt.Sprintf(format, args...)}
}

// beyondWorld finds impossible degrees. Longitudes may run from 0 to 360, and the last cell may reach beyond a
// pole.
func (u numbers) beyondWorld() *Warning {
	turn := 360 / u.crs.PerUnit
	if !(turn > 0) || math.IsInf(turn, 1) {
		return nil
	}

	b := u.reach

	switch {
	case u.width > turn || u.height > turn/2:
		return warn("cell-size", "a cell of %s x %s %s is larger than the world, and the unit of %s is the %s: are these metres?",
			short(u.width), short(u.height), u.crs.Units(2), u.name, u.crs.Unit)
	case b.XMin < -turn-u.width || b.XMax > turn+u.width || b.YMin < -turn/4-u.height || b.YMax > turn/4+u.height:
		return warn(u.param, "%s reaches beyond the world, and the unit of %s is the %s: are these metres?", b, u.name, u.crs.Unit)
	}

	return nil
}

// coarseCell is the size in degrees from which a cell larger than the requested box is probably a mistake. A user
// who loads a country in cells of 100 means metres.
const coarseCell = 10

func (u numbers) coarse() *Warning {
	least := coarseCell / u.crs.PerUnit
	if u.width < least || u.height < least || u.width < u.reach.XMax-u.reach.XMin || u.height < u.reach.YMax-u.reach.YMin {
		return nil
	}

	return warn("cell-size", "a cell of %s x %s %s is larger than the whole extent, and the unit of %s is the %s: are these metres?",
		short(u.width), short(u.height), u.crs.Units(2), u.name, u.crs.Unit)
}

// box returns the box of the domain, if it is known.
func (u numbers) box() (b geomgen.Box, known bool) {
	d := u.crs.Domain
	if d == nil {
		return geomgen.Box{}, false
	}

	b = geomgen.Box{XMin: d.XMin, YMin: d.YMin, XMax: d.XMax, YMax: d.YMax}

	return b, b.XMax > b.XMin && b.YMax > b.YMin
}

// smallDomain, in metres, is the size of a CRS whose origin may well be at the place where it is used, such as a
// building site or a city.
const smallDomain = 100_000

// degrees finds numbers that may be longitudes and latitudes, which would be a few metres in a CRS of lengths. A
// box that begins at the origin is a test.
func (u numbers) degrees() *Warning {
	b := u.reach
	d, known := u.box()

	switch {
	case b.XMin < -180 || b.XMax > 180 || b.YMin < -90 || b.YMax > 90:
		return nil
	case b.XMin == 0 && b.YMin == 0, !(u.crs.PerUnit > 0 && u.crs.PerUnit <= 1):
		return nil
	case known && (d.XMax-d.XMin)*u.crs.PerUnit < smallDomain && (d.YMax-d.YMin)*u.crs.PerUnit < smallDomain:
		return nil
	}

	return warn(u.param, "%s lies within %s, and the unit of %s is the %s: are these degrees?", b, "-180,-90,180,90", u.name, u.crs.Unit)
}

// For a box of fineReach metres or more, cells smaller than fineCell metres are probably a mistake.
const (
	fineCell  = 1
	fineReach = 10_000
)

func (u numbers) fine() *Warning {
	m := u.crs.PerUnit
	long := max(u.reach.XMax-u.reach.XMin, u.reach.YMax-u.reach.YMin)

	if !(u.width > 0 && max(u.width, u.height)*m < fineCell && long*m > fineReach) {
		return nil
	}

	return warn("cell-size", "a cell of %s x %s is small for what is %s long, and the unit of %s is the %s: are these degrees?",
		short(u.width), short(u.height), short(long), u.name, u.crs.Unit)
}

// beyondDomain finds a cell larger than the domain, and a box that is more than twice as large and larger than a
// neighbour's. Round numbers around the domain are common, as in the grid of the European Union.
func (u numbers) beyondDomain() *Warning {
	d, known := u.box()
	if !known {
		return nil
	}

	w, h := d.XMax-d.XMin, d.YMax-d.YMin

	switch {
	case u.width > w || u.height > h:
		return warn("cell-size", "a cell of %s x %s %s is larger than the domain of %s, which is %s x %s: is the unit a different one?",
			short(u.width), short(u.height), u.crs.Units(2), u.name, short(w), short(h))
	case u.reach.XMax-u.reach.XMin > max(2*w, w+2*u.room()) || u.reach.YMax-u.reach.YMin > max(2*h, h+2*u.room()):
		return warn(u.param, "%s is more than twice as large as the domain of %s, which is about %s: is the unit or the CRS a different one?",
			u.reach, u.name, u.domain())
	}

	return nil
}

// How far outside its domain a CRS is often used, as a UTM zone is for a whole country: in metres or degrees, or
// as a share of its size.
const (
	outsideMetres  = 300_000
	outsideDegrees = 3
	outsideShare   = 0.1
)

// outsideDomain finds a box that is completely outside the domain and not near it. That includes a box at the
// origin, from a user who forgot to set the position of the grid.
func (u numbers) outsideDomain() *Warning {
	d, known := u.box()
	if !known || !(u.crs.PerUnit > 0) {
		return nil
	}

	room := u.room()
	x, y := max(room, outsideShare*(d.XMax-d.XMin)), max(room, outsideShare*(d.YMax-d.YMin))
	b := u.reach

	if b.YMin <= d.YMax+y && b.YMax >= d.YMin-y && u.meetsInX(d, x) {
		return nil
	}

	return warn(u.param, "%s lies outside of the domain of %s, which is about %s: is the unit, the origin or the CRS a different one?", b, u.name, u.domain())
}

// room returns how far outside its domain a CRS is often used, in its units.
func (u numbers) room() float64 {
	if u.crs.Kind == crs.Geographic {
		return outsideDegrees / u.crs.PerUnit
	}

	return outsideMetres / u.crs.PerUnit
}

// meetsInX reports whether the box meets the box of the domain in x, with some room. It also tries one turn round
// the earth in either direction.
func (u numbers) meetsInX(d geomgen.Box, room float64) bool {
	turns := []float64{0}
	if s, ok := u.crs.Seam(); ok {
		turns = []float64{-s.Period, 0, s.Period}
	}

	for _, turn := range turns {
		if u.reach.XMin+turn <= d.XMax+room && u.reach.XMax+turn >= d.XMin-room {
			return true
		}
	}

	return false
}

func (u numbers) domain() string {
	d := u.crs.Domain
	return short(d.XMin) + "," + short(d.YMin) + "," + short(d.XMax) + "," + short(d.YMax)
}

// short formats a number with the digits that people look at.
func short(f float64) string {
	if a := math.Abs(f); a >= 1000 && a < 1e15 {
		return strconv.FormatFloat(f, 'f', 0, 64)
	}

	return strconv.FormatFloat(f, 'g', 4, 64)
}
