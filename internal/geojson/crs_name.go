package geojson

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// crsMember is the member crs of GeoJSON's version of 2008, or of the drafts before it, which had
// the type EPSG.
type crsMember struct {
	Type       string `json:"type"`
	Properties struct {
		Name string `json:"name"`
		Href string `json:"href"`
		Code any    `json:"code"` // a number, or a string with one
	} `json:"properties"`
}

// text returns the name of the CRS.
func (m crsMember) text() string {
	switch {
	case m.Properties.Name != "":
		return m.Properties.Name
	case m.Properties.Code != nil:
		return fmt.Sprintf("EPSG:%v", m.Properties.Code)
	}

	return m.Properties.Href
}

// wgs84 is the SRID of WGS 84 with longitude first.
const wgs84 = 4326

// crs reads the member crs. null means nothing.
func (d *reader) crs() error {
	var m *crsMember
	if err := d.decode(&m); err != nil || m == nil {
		return err
	}

	name := m.text()
	srid, ok := sridOf(name)

	switch {
	case !ok && d.given != 0: // the user has named the CRS
		return nil
	case !ok:
		return feature.BadArea("names a CRS that loadgrid does not understand, %q%s: use a name like EPSG:3035 or urn:ogc:def:crs:EPSG::3035, or set aoi-srid", name, d.Where)
	case d.srid != 0 && srid != d.srid:
		return feature.BadArea("uses both EPSG:%d and EPSG:%d%s: it must have one CRS", d.srid, srid, d.Where)
	}

	d.srid = srid

	return nil
}

// The names of CRSs in GeoJSON and in the OGC's documents. Links are read but never followed.
const (
	epsgNames = `(?i)^(?:` +
		`(?:urn:(?:x-)?ogc:def:crs:)?EPSG:(?:[0-9.]*:)?([0-9]+)` +
		`|https?://(?:www\.)?opengis\.net/def/crs/EPSG/[0-9.]+/([0-9]+)/?` +
		`|https?://(?:www\.)?opengis\.net/gml/srs/epsg\.xml#([0-9]+)` +
		`|https?://(?:www\.)?spatialreference\.org/ref/epsg/([0-9]+)(?:/.*)?` +
		`|https?://(?:www\.)?epsg\.io/([0-9]+)(?:[./?].*)?` +
		`)$`
	ogcNames = `(?i)^(?:` +
		`(?:urn:(?:x-)?ogc:def:crs:)?OGC:(?:[0-9.]*:)?CRS(84h?|83|27)` +
		`|https?://(?:www\.)?opengis\.net/def/crs/OGC/[0-9.]+/CRS(84h?|83|27)/?` +
		`|CRS:(84|83|27)` +
		`)$`
)

// sridOf returns the SRID of a CRS by its name or by a link to it. The OGC's CRSs with longitude
// first are CRS84, CRS83 and CRS27.
func sridOf(name string) (srid int32, ok bool) {
	if inner, found := strings.CutPrefix(name, "["); found { // a CURIE, in brackets for safety
		name = strings.TrimSuffix(inner, "]")
	}

	if code := firstMatch(ogcNames, name); code != "" {
		known := map[string]int32{"84": wgs84, "84h": wgs84, "83": 4269, "27": 4267}
		return known[strings.ToLower(code)], true
	}

	n, err := strconv.ParseInt(firstMatch(epsgNames, name), 10, 32)

	return int32(n), err == nil && n > 0
}

// firstMatch returns the first non-empty group of a pattern, "" if there is none.
func firstMatch(pattern, text string) string {
	for i, group := range regexp.MustCompile(pattern).FindStringSubmatch(text) {
		if i > 0 && group != "" {
			return group
		}
	}

	return ""
}
