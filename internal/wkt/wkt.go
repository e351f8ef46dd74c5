// Package wkt owns the reading of well-known text of coordinate reference systems, of any version.
// It does not interpret keywords.
package wkt

import (
	"math"
	"strconv"
	"strings"
)

// maxDepth is the maximum nesting of keywords. Real definitions have less than 10 levels.
const maxDepth = 40

// Node is a KEYWORD[...] of well-known text. Its own values, such as names, numbers and bare words,
// are separate from its child nodes.
type Node struct {
	Keyword string // upper case
	Values  []string
	Nodes   []Node
}

// Read reads well-known text. It may have several nodes, because ESRI writes a compound CRS as two
// nodes side by side. ok is false if the text is not a node or not closed.
func Read(text string) (nodes []Node, ok bool) {
	r := reader{text: text}
	for {
		n, ok := r.node(r.word(), maxDepth)
		if !ok {
			return nil, false
		}
		nodes = append(nodes, n)

		if !r.one(",") {
			return nodes, r.at == len(r.text)
		}
	}
}

type reader struct {
	text string
	at   int
}

// node reads from the bracket after a keyword to the matching one.
func (r *reader) node(keyword string, depth int) (n Node, ok bool) {
	if keyword == "" || depth == 0 || !r.one("[(") {
		return Node{}, false
	}

	n.Keyword = strings.ToUpper(keyword)

	for {
		switch r.space(); {
		case r.at < len(r.text) && r.text[r.at] == '"':
			s, ok := r.quoted()
			if !ok {
				return Node{}, false
			}
			n.Values = append(n.Values, s)

		default:
			word := r.word()
			if r.space(); r.at < len(r.text) && strings.IndexByte("[(", r.text[r.at]) >= 0 {
				in, ok := r.node(word, depth-1)
				if !ok {
					return Node{}, false
				}
				n.Nodes = append(n.Nodes, in)
			} else if word != "" {
				n.Values = append(n.Values, word)
			}
		}

		if r.one("])") {
			return n, true
		}
		if !r.one(",") {
			return Node{}, false
		}
	}
}

func (r *reader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

// one consumes one byte of a set.
func (r *reader) one(set string) bool {
	r.space()
	if r.at == len(r.text) || strings.IndexByte(set, r.text[r.at]) < 0 {
		return false
	}
	r.at++

	return true
}

// word consumes a keyword, a number or a bare word, such as north.
func (r *reader) word() string {
	r.space()
	from := r.at
	for r.at < len(r.text) && strings.IndexByte("[](),\" \t\r\n", r.text[r.at]) < 0 {
		r.at++
	}

	return r.text[from:r.at]
}

// quoted consumes a string, in which quotes are doubled.
func (r *reader) quoted() (s string, ok bool) {
	r.at++
	from := r.at
	for r.at < len(r.text) {
		if r.text[r.at] != '"' {
			r.at++
			continue
		}
		if !strings.HasPrefix(r.text[r.at:], `""`) {
			s = strings.ReplaceAll(r.text[from:r.at], `""`, `"`)
			r.at++
			return s, true
		}
		r.at += 2
	}

	return "", false
}

// Find returns the first node in n with one of the keywords.
func (n Node) Find(keywords ...string) (found Node, ok bool) {
	for _, in := range n.Nodes {
		for _, k := range keywords {
			if in.Keyword == k {
				return in, true
			}
		}
	}

	return Node{}, false
}

// Name returns the first value, which is the name in all nodes that have one.
func (n Node) Name() string {
	if len(n.Values) == 0 {
		return ""
	}
	return n.Values[0]
}

// Number returns a value as a finite number.
func (n Node) Number(i int) (v float64, ok bool) {
	if i >= len(n.Values) {
		return 0, false
	}

	v, err := strconv.ParseFloat(strings.TrimSpace(n.Values[i]), 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// EPSG returns the EPSG code of a node's object, 0 for none.
func (n Node) EPSG() int32 {
	id, ok := n.Find("AUTHORITY", "ID")
	if !ok || len(id.Values) < 2 || !strings.EqualFold(id.Name(), "EPSG") {
		return 0
	}

	code, err := strconv.ParseInt(strings.TrimSpace(id.Values[1]), 10, 32)
	if err != nil || code < 0 {
		return 0
	}
	return int32(code)
}
