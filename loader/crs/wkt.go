package crs

import (
	"math"
	"strconv"
	"strings"
)

// maxDepth is how deep keywords may be nested. Real definitions have less than 10.
const maxDepth = 40

// node is a KEYWORD[...] of well-known text. Its own values, such as names, numbers and bare
// words, are apart from the nodes in it.
type node struct {
	keyword string // upper case
	values  []string
	nodes   []node
}

// readWKT reads well-known text of any version: what the keywords mean is not its matter.
// ESRI writes a compound CRS as two nodes side by side. ok is false for what is no node, or
// not closed.
func readWKT(text string) (nodes []node, ok bool) {
	r := wktReader{text: text}
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

type wktReader struct {
	text string
	at   int
}

// node reads from the bracket after a keyword to the one that closes it.
func (r *wktReader) node(keyword string, depth int) (n node, ok bool) {
	if keyword == "" || depth == 0 || !r.one("[(") {
		return node{}, false
	}

	n.keyword = strings.ToUpper(keyword)

	for {
		switch r.space(); {
		case r.at < len(r.text) && r.text[r.at] == '"':
			s, ok := r.quoted()
			if !ok {
				return node{}, false
			}
			n.values = append(n.values, s)

		default:
			word := r.word()
			if r.space(); r.at < len(r.text) && strings.IndexByte("[(", r.text[r.at]) >= 0 {
				in, ok := r.node(word, depth-1)
				if !ok {
					return node{}, false
				}
				n.nodes = append(n.nodes, in)
			} else if word != "" {
				n.values = append(n.values, word)
			}
		}

		if r.one("])") {
			return n, true
		}
		if !r.one(",") {
			return node{}, false
		}
	}
}

func (r *wktReader) space() {
	for r.at < len(r.text) && strings.IndexByte(" \t\r\n", r.text[r.at]) >= 0 {
		r.at++
	}
}

// one takes one byte of a set.
func (r *wktReader) one(set string) bool {
	r.space()
	if r.at == len(r.text) || strings.IndexByte(set, r.text[r.at]) < 0 {
		return false
	}
	r.at++

	return true
}

// word takes a keyword, a number or a bare word, such as north.
func (r *wktReader) word() string {
	r.space()
	from := r.at
	for r.at < len(r.text) && strings.IndexByte("[](),\" \t\r\n", r.text[r.at]) < 0 {
		r.at++
	}

	return r.text[from:r.at]
}

// quoted takes a string, in which a quote is written twice.
func (r *wktReader) quoted() (s string, ok bool) {
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

// find returns the first node in n with one of the keywords.
func (n node) find(keywords ...string) (found node, ok bool) {
	for _, in := range n.nodes {
		for _, k := range keywords {
			if in.keyword == k {
				return in, true
			}
		}
	}

	return node{}, false
}

// name returns the first value, which is the name in all nodes that have one.
func (n node) name() string {
	if len(n.values) == 0 {
		return ""
	}
	return n.values[0]
}

// number returns a value as a finite number.
func (n node) number(i int) (v float64, ok bool) {
	if i >= len(n.values) {
		return 0, false
	}
	return number(n.values[i])
}

// number reads a finite number.
func number(s string) (v float64, ok bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}
