package featurefile

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

func TestTime(t *testing.T) {
	east := time.FixedZone("", 3600)

	for text, want := range map[string]feature.Value{
		"2024-02-29":                    feature.Date{Year: 2024, Month: 2, Day: 29},
		" 0001-01-01 ":                  feature.Date{Year: 1, Month: 1, Day: 1},
		"2024-02-29T13:14:15":           time.Date(2024, 2, 29, 13, 14, 15, 0, time.UTC),
		"2024-02-29 13:14:15.5":         time.Date(2024, 2, 29, 13, 14, 15, 5e8, time.UTC),
		"2024-02-29T13:14:15.123Z":      time.Date(2024, 2, 29, 13, 14, 15, 123e6, time.UTC),
		"2024-02-29T13:14:15+01:00":     time.Date(2024, 2, 29, 13, 14, 15, 0, east),
		"2024-02-29T13:14:15+01":        time.Date(2024, 2, 29, 13, 14, 15, 0, east),
		"2024-02-29T13:14":              time.Date(2024, 2, 29, 13, 14, 0, 0, time.UTC),
		"2024-02-29T13:14Z":             time.Date(2024, 2, 29, 13, 14, 0, 0, time.UTC),
		"9999-12-31T23:59:59.999999999": time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
	} {
		got, err := Time(text)
		if at, ok := want.(time.Time); ok {
			if is, ok := got.(time.Time); !ok || !is.Equal(at) {
				t.Errorf("%q: %v, %v", text, got, err)
			}
			continue
		}

		if got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}

	for _, text := range [...]string{"", "2023-02-29", "0000-01-01", "29.02.2024", "2024-02-29T25:00:00", "2024-02-29T13:14:15 CET", "10000-01-01", strings.Repeat("2", 1000)} {
		if got, err := Time(text); err == nil {
			t.Errorf("%q: %v", text, got)
		} else if len(err.Error()) > 200 {
			t.Errorf("a message of %d bytes", len(err.Error()))
		}
	}
}

func TestChooseLayer(t *testing.T) {
	for _, test := range []struct {
		asked  string
		layers []string
		want   string
		param  string
		fault  string
	}{
		{"", []string{"a"}, "a", "", ""},
		{"b", []string{"a", "b"}, "b", "", ""},
		{"", nil, "", "aoi", "has no layer"},
		{"", []string{"a", "b"}, "", "aoi-layer", `several layers: choose one with aoi-layer: "a", "b"`},
		{"c", []string{"a", "b"}, "", "aoi-layer", `no such layer: it has "a", "b"`},
	} {
		got, err := ChooseLayer(test.asked, test.layers)

		var param *geomgen.ParamError
		switch {
		case test.fault == "" && (got != test.want || err != nil):
			t.Errorf("%q of %q: %q, %v", test.asked, test.layers, got, err)
		case test.fault != "" && (!errors.As(err, &param) || param.Param != test.param || !strings.Contains(param.Reason, test.fault)):
			t.Errorf("%q of %q: %q, %v", test.asked, test.layers, got, err)
		}
	}
}

// Messages stay short, whatever a file holds.
func TestList(t *testing.T) {
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprint(i))
	}

	if got := List(many); !strings.HasSuffix(got, `"18", "19", and 5 more`) {
		t.Error(got)
	}
	if got := List([]string{strings.Repeat("x", 1000)}); len(got) > 100 {
		t.Errorf("%d bytes", len(got))
	}
}

func TestText(t *testing.T) {
	for b, want := range map[string]string{"Küste": "", "": "", "a\x00": "has a zero character", "\xff": "is not UTF-8"} {
		got, err := Text([]byte(b))
		switch {
		case want == "" && (got != b || err != nil), want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %q, %v", b, got, err)
		}
	}
}

func TestEnded(t *testing.T) {
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())

	before := Ended(ctx)
	cancel(why)

	if got := []error{before, Ended(ctx)}; !reflect.DeepEqual(got, []error{nil, why}) {
		t.Errorf("%v", got)
	}
}
