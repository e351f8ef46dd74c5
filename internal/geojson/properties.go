package geojson

import (
	"slices"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/feature"
)

// How much is kept of unrequested names, and of repeated texts.
const (
	maxNames     = 100
	maxName      = 100
	maxTexts     = 1 << 12
	longestShare = 512
)

// names are the names of attributes.
type names struct {
	asked map[string]int // their indexes in the request
	all   []string       // the requested names
	found []bool         // which of them exist
	left  int            // how many were not found yet
	other []string
	texts map[string]feature.Value // earlier values, so that equal ones share memory
}

func newNames(asked []string) names {
	n := names{asked: make(map[string]int, len(asked)), all: asked, found: make([]bool, len(asked)), left: len(asked), texts: make(map[string]feature.Value)}
	for i, name := range asked {
		n.asked[name] = i
	}

	return n
}

// find returns the index of a requested attribute.
func (n *names) find(name []byte) (i int, ok bool) {
	i, ok = n.asked[string(name)]

	switch {
	case ok && !n.found[i]:
		n.found[i] = true
		n.left--
	case !ok && n.left > 0 && len(n.other) < maxNames && len(name) <= maxName && !slices.Contains(n.other, string(name)):
		n.other = append(n.other, string(name))
	}

	return i, ok
}

// list returns the names that exist, the unrequested ones last.
func (n *names) list() []string {
	var list []string
	for i, name := range n.all {
		if n.found[i] {
			list = append(list, name)
		}
	}

	return append(list, n.other...)
}

// share returns a text as a value. Equal short texts share one value.
func (n *names) share(text []byte) feature.Value {
	if len(text) > longestShare {
		return string(text)
	}

	if v, ok := n.texts[string(text)]; ok {
		return v
	}

	var v feature.Value = string(text)
	if len(n.texts) < maxTexts {
		n.texts[v.(string)] = v
	}

	return v
}

// properties reads the properties of a feature, if some are requested. If a name is repeated, the
// last one counts.
func (d *reader) properties() error {
	if len(d.names.all) == 0 || d.json.peek() != jsontext.KindBeginObject {
		return d.skip()
	}

	if _, err := d.next(); err != nil {
		return err
	}

	for {
		name, end, err := d.json.member()
		if err != nil || end {
			return d.explain(err)
		}

		i, ok := d.names.find(name)
		if !ok {
			if err := d.skip(); err != nil {
				return err
			}
			continue
		}

		if d.values[i], err = d.value(d.names.all[i]); err != nil {
			return err
		}
	}
}

// value reads the value of an attribute.
func (d *reader) value(name string) (feature.Value, error) {
	raw, err := d.json.value()
	if err != nil {
		return nil, d.explain(err)
	}

	switch kind := raw.Kind(); kind {
	case jsontext.KindNull:
		return nil, nil
	case jsontext.KindTrue, jsontext.KindFalse:
		return kind == jsontext.KindTrue, nil
	case kindNumber:
		return d.numberValue(name, raw)
	case kindString:
		if f, ok := notFinite(raw); ok {
			return f, nil
		}
		return d.names.share(d.json.unquote(raw)), nil
	}

	return d.names.share(raw), nil
}

// numberValue returns a number: int64 if it is whole and fits, otherwise float64.
func (d *reader) numberValue(name string, raw []byte) (feature.Value, error) {
	if n, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
		return n, nil
	}

	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, &geomgen.ParamError{Param: "attribute", Value: name, Reason: "has the number " + string(raw[:min(len(raw), 40)]) + d.Where + ", which is too large for double precision"}
	}

	return f, nil
}
