package condition

// Kind is what a column of a database holds.
type Kind int

// The kinds.
const (
	Other  Kind = iota // or it is not known
	Number             // int64 and float64
	Text
)

// maxExact is the largest number up to which double precision has all whole numbers.
const maxExact = 1 << 53

// SameInSQL tells whether a database decides by the condition's SQL as Eval does, given what the
// columns hold: whether each is compared with what it holds, and no text is by its order, which
// depends on how the database encodes it.
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

// is tells whether the literal is of a kind. Of large whole numbers the comparison with a number
// in double precision differs.
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
