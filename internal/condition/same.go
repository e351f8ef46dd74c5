package condition

// Kind is the kind of values in a database column.
type Kind int

// The kinds.
const (
	Other  Kind = iota // another kind, or unknown
	Number             // int64 and float64
	Text
)

// maxExact is the largest number up to which double precision represents all whole numbers.
const maxExact = 1 << 53

// SameInSQL tells whether a database evaluates the condition's SQL as Eval does, given the kinds of
// the columns. It is true if each column is compared with a literal of its kind, and no text is
// compared by its order, which depends on the database's encoding.
func (c *Condition) SameInSQL(kind func(name string) Kind) bool {
	return c.root.sameInSQL(func(attribute int) Kind { return kind(c.names[attribute]) })
}

func (l logic) sameInSQL(kind func(int) Kind) bool {
	for _, part := range l.parts {
		if !part.sameInSQL(kind) {
			return false
		}
	}
	return true
}

func (n negation) sameInSQL(kind func(int) Kind) bool { return n.inner.sameInSQL(kind) }

func (n nullTest) sameInSQL(kind func(int) Kind) bool { return kind(n.attribute) != Other }

func (c comparison) sameInSQL(kind func(int) Kind) bool {
	k := kind(c.attribute)
	return c.with.is(k) && (k != Text || c.operator == "=" || c.operator == "<>")
}

func (m membership) sameInSQL(kind func(int) Kind) bool {
	for _, l := range m.list {
		if !l.is(kind(m.attribute)) {
			return false
		}
	}
	return true
}

// is tells whether the literal is of a kind. It is false for large whole numbers, because their
// comparison with a double precision number differs.
func (l literal) is(k Kind) bool {
	switch v := l.value.(type) {
	case int64:
		return k == Number && v <= maxExact && v >= -maxExact
	case float64:
		return k == Number
	case string:
		return k == Text
	}
	return false
}
