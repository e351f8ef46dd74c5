package featurefile

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/loadgrid/loadgrid/internal/feature"
)

// Text checks that bytes are text that a database can store: UTF-8 without zero characters.
func Text(b []byte) (string, error) {
	switch s := string(b); {
	case !utf8.ValidString(s):
		return "", fmt.Errorf("%.40q is not UTF-8", s)
	case strings.IndexByte(s, 0) >= 0:
		return "", fmt.Errorf("%.40q has a zero character", s)
	default:
		return s, nil
	}
}

// Time reads an ISO 8601 date or time as GDAL and SQLite write them. 2026-11-29 is a feature.Date,
// and 2026-11-29T14:55:00.123+01:00 a time.Time, which is in UTC if it has no zone. A space may
// separate day and time. Years are 1 to 9999.
func Time(s string) (feature.Value, error) {
	for _, layout := range [...]string{
		"2006-01-02", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04",
		"2006-01-02T15:04:05Z07",
	} {
		t, err := time.Parse(layout, strings.Replace(strings.TrimSpace(s), " ", "T", 1))

		switch {
		case err != nil || t.Year() < 1:
			continue
		case len(layout) == len("2006-01-02"):
			return feature.Date{Year: t.Year(), Month: t.Month(), Day: t.Day()}, nil
		}
		return t, nil
	}

	return nil, fmt.Errorf("%.40q is not an ISO 8601 date or time, such as 2026-11-29 or 2026-11-29T14:55:00Z", s)
}
