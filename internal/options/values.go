package options

import "slices"

// Pos is a position in a file. Lines and columns count from 1, columns in characters. Zero
// means the command line.
type Pos struct{ Line, Column int }

// Item is a value as text, with its position.
type Item struct {
	Pos
	Text string
}

// Values are the given values of each option. Only a list has more than one.
type Values map[string][]Item

// Has reports whether an option is given.
func (v Values) Has(name string) bool { return len(v[name]) > 0 }

// Text returns the last value of an option, or "" if it is not given.
func (v Values) Text(name string) string {
	items := v[name]
	if len(items) == 0 {
		return ""
	}
	return items[len(items)-1].Text
}

// Add adds a value.
func (v Values) Add(name string, item Item) { v[name] = append(v[name], item) }

// Merge merges layers, such as the command line, a job, and the defaults of its file. An option in one layer
// overrides the same option in the layers after it, and also the options in its Overrides.
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

// overridden reports whether the layer above gives an option, or one that overrides it.
func (t Table) overridden(name string, above Values) bool {
	if above.Has(name) {
		return true
	}
	return slices.ContainsFunc(t, func(o Option) bool { return above.Has(o.Name) && slices.Contains(o.Overrides, name) })
}
