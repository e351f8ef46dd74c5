package options

import "slices"

// Pos is a place in a file; lines and columns count from 1, columns in characters. Zero
// is the command line.
type Pos struct{ Line, Column int }

// Item is a value as text, and where it stands.
type Item struct {
	Pos
	Text string
}

// Values are what somebody gives: for each option its values, of which only a list has
// several.
type Values map[string][]Item

// Has reports whether an option is given.
func (v Values) Has(name string) bool { return len(v[name]) > 0 }

// Text returns the last value of an option, "" where it is not given.
func (v Values) Text(name string) string {
	items := v[name]
	if len(items) == 0 {
		return ""
	}
	return items[len(items)-1].Text
}

// Add adds a value.
func (v Values) Add(name string, item Item) { v[name] = append(v[name], item) }

// Merge returns what holds of several layers, of which the first wins: the command line,
// a job, the defaults of its file. Whoever gives an option overrides it in the layers
// below, together with those that it stands against.
func (t Table) Merge(layers ...Values) Values {
	merged := make(Values)
	for i, layer := range layers {
		for _, o := range t {
			if layer.Has(o.Name) && !slices.ContainsFunc(layers[:i], func(above Values) bool { return t.overridden(o.Name, above) }) {
				merged[o.Name] = layer[o.Name]
			}
		}
	}

	return merged
}

// overridden reports whether a layer above gives an option, or one that overrides it.
func (t Table) overridden(name string, above Values) bool {
	if above.Has(name) {
		return true
	}
	return slices.ContainsFunc(t, func(o Option) bool { return above.Has(o.Name) && slices.Contains(o.Overrides, name) })
}
