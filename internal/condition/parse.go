package condition

import (
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The limits of a condition.
const (
	maxDepth  = 100     // of brackets and "not"
	maxNumber = 400     // characters
	maxText   = 1 << 20 // bytes
)

// Parse reads a condition. The error is a *SyntaxError.
func Parse(text string) (*Condition, error) {
	p := parser{scanner: scanner{text: text}, places: make(map[string]int)}

	switch {
	case strings.TrimSpace(text) == "":
		return nil, &SyntaxError{What: "the condition is empty"}
	case len(text) > maxText:
		return nil, &SyntaxError{What: "the condition is longer than 1 MiB"}
	case !utf8.ValidString(text):
		return nil, &SyntaxError{What: "the condition is not UTF-8"}
	case strings.IndexByte(text, 0) >= 0:
		return nil, p.fault(strings.IndexByte(text, 0), "a condition cannot contain a zero byte")
	}

	if err := p.step(); err != nil {
		return nil, err
	}

	root, err := p.or(0)
	if err != nil {
		return nil, err
	}

	if p.now.kind != endToken {
		return nil, p.fault(p.now.at, `expected "and", "or" or the end`)
	}

	return &Condition{names: p.names, root: root}, nil
}

// parser reads a condition token by token.
type parser struct {
	scanner
	now    token
	names  []string
	places map[string]int // index of each name
}

// step reads the next token.
func (p *parser) step() (err error) {
	p.now, err = p.next()
	return err
}

// accept steps over the token if it is this keyword or sign.
func (p *parser) accept(word string) (ok bool, err error) {
	if !p.now.is(word) {
		return false, nil
	}
	return true, p.step()
}

// expect steps over this keyword or sign, and reports any other token.
func (p *parser) expect(word string) error {
	ok, err := p.accept(word)
	if err == nil && !ok {
		err = p.fault(p.now.at, "expected %q", word)
	}
	return err
}

func (p *parser) or(depth int) (expression, error) {
	return p.list("or", func() (expression, error) {
		return p.list("and", func() (expression, error) { return p.not(depth) })
	})
}

// list reads one or more expressions, separated by a word.
func (p *parser) list(word string, read func() (expression, error)) (expression, error) {
	var parts []expression

	for {
		part, err := read()
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)

		more, err := p.accept(word)
		switch {
		case err != nil:
			return nil, err
		case more:
		case len(parts) == 1:
			return part, nil
		default:
			return logic{and: word == "and", parts: parts}, nil
		}
	}
}

func (p *parser) not(depth int) (expression, error) {
	if depth > maxDepth {
		return nil, p.fault(p.now.at, "brackets and \"not\" are nested more than %d deep", maxDepth)
	}

	switch ok, err := p.accept("not"); {
	case err != nil:
		return nil, err
	case ok:
		inner, err := p.not(depth + 1)
		return negation{inner}, err
	}

	switch ok, err := p.accept("("); {
	case err != nil:
		return nil, err
	case ok:
		inner, err := p.or(depth + 1)
		if err == nil {
			err = p.expect(")")
		}
		return inner, err
	}

	return p.test()
}

// test reads an attribute and its test.
func (p *parser) test() (expression, error) {
	attribute, err := p.attribute()
	if err != nil {
		return nil, err
	}

	if ok, err := p.accept("is"); ok || err != nil {
		return p.null(attribute, err)
	}

	not, err := p.accept("not")
	if err != nil {
		return nil, err
	}

	if not || p.now.is("in") {
		return p.in(attribute, not)
	}

	operator := p.now.text
	if operator == "!=" {
		operator = "<>"
	}

	if p.now.kind != signToken || !strings.ContainsAny(operator, "=<>") {
		return nil, p.fault(p.now.at, "expected =, <>, <, <=, >, >=, in, not in, is null or is not null after the name of an attribute")
	}

	if err := p.step(); err != nil {
		return nil, err
	}

	with, err := p.literal()
	return comparison{attribute: attribute, operator: operator, with: with}, err
}

// attribute reads the name of an attribute, and returns its index.
func (p *parser) attribute() (int, error) {
	switch t := p.now; {
	case t.kind == textToken || t.kind == numberToken:
		return 0, p.fault(t.at, "a comparison must begin with the name of an attribute, with or without double quotes")
	case t.kind == quotedToken && t.text == "":
		return 0, p.fault(t.at, "the name of an attribute is empty")
	case t.kind != quotedToken && (t.kind != wordToken || isKeyword(t)):
		return 0, p.fault(t.at, "expected the name of an attribute")
	}

	place, ok := p.places[p.now.text]
	if !ok {
		place = len(p.names)
		p.places[p.now.text] = place
		p.names = append(p.names, p.now.text)
	}

	return place, p.step()
}

func isKeyword(t token) bool {
	switch strings.ToLower(t.text) {
	case "and", "or", "not", "in", "is", "null", "true", "false":
		return true
	}
	return false
}

// null reads what follows "is".
func (p *parser) null(attribute int, err error) (expression, error) {
	not := false
	if err == nil {
		not, err = p.accept("not")
	}
	if err == nil {
		err = p.expect("null")
	}

	return nullTest{attribute: attribute, not: not}, err
}

// in reads a list of literals.
func (p *parser) in(attribute int, not bool) (expression, error) {
	if err := p.expect("in"); err != nil {
		return nil, err
	}

	if err := p.expect("("); err != nil {
		return nil, err
	}

	m := membership{attribute: attribute, not: not}
	for {
		l, err := p.literal()
		if err != nil {
			return nil, err
		}
		m.list = append(m.list, l)

		more, err := p.accept(",")
		if err != nil {
			return nil, err
		}

		if !more {
			return m, p.expect(")")
		}
	}
}

// literal reads a literal.
func (p *parser) literal() (l literal, err error) {
	switch t := p.now; {
	case t.kind == textToken:
		l.value = t.text
	case t.kind == numberToken:
		l, err = p.number(t)
	case t.is("true"), t.is("false"):
		l.value = t.is("true")
	case t.is("null"):
		err = p.fault(t.at, "nothing is equal to null: write is null or is not null")
	case t.kind == wordToken, t.kind == quotedToken:
		err = p.fault(t.at, "expected a value, not a name: write text in single quotes, as in name = 'France'")
	default:
		err = p.fault(t.at, "expected a number, a text in single quotes, true or false")
	}

	if err == nil {
		err = p.step()
	}

	return l, err
}

// number reads a number that fits double precision.
func (p *parser) number(t token) (literal, error) {
	l := literal{text: t.text}
	if n, err := strconv.ParseInt(t.text, 10, 64); err == nil {
		l.value = n
		return l, nil
	}

	f, err := strconv.ParseFloat(t.text, 64)
	if err != nil || len(t.text) > maxNumber || math.Abs(f) < 0x1p-1022 && strings.ContainsAny(mantissa(t.text), "123456789") {
		return l, p.fault(t.at, "the number is too large, too small or too long")
	}

	exact, ok := new(big.Rat).SetString(t.text)
	if !ok {
		return l, p.fault(t.at, "this is not a number")
	}
	l.value, l.exact = f, exact

	return l, nil
}

// mantissa returns a number without its exponent.
func mantissa(text string) string {
	if n := strings.IndexAny(text, "eE"); n >= 0 {
		return text[:n]
	}
	return text
}
