package jobfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/loadgrid/loadgrid/internal/options"
)

// MaxSize is the size of a file in bytes that is read: more than a file has that people write, and little enough to be read in
// a moment.
const MaxSize = 1 << 20

// parse returns the one document of a YAML text, with what job files have no use for
// refused: anchors and aliases, which let a short text become a long one, and tags.
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: fmt.Errorf("has more than %d bytes: no job file is so long", MaxSize)}
	}

	if kind := foreign(data); kind != "" {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("is " + kind + ", and a job file is text in YAML, in UTF-8")}
	}

	if pos, ok := firstInvalid(data); !ok {
		return nil, &options.PosError{Pos: pos, Err: errors.New("a byte that is no text in UTF-8")}
	}

	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}

	var doc, more yaml.Node

	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("has no job: it is empty")}
	case err != nil:
		return nil, syntaxError(data, err)
	}

	if len(doc.Content) != 1 {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("has no job: it is empty")}
	}

	root := doc.Content[0]
	if err := refuseUnsupported(root); err != nil {
		return nil, err
	}

	switch err := loader.Load(&more); {
	case err == nil:
		return nil, &options.PosError{Pos: options.Pos{Line: more.Line, Column: more.Column}, Err: errors.New("a second document begins: a file is one, with its jobs in a list under jobs")}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(data, err)
	}

	return root, nil
}

// foreign returns what a file is that begins as no text in UTF-8 does, "" where nothing tells.
func foreign(data []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\xff\xfe", "text in UTF-16"},
		{"\xfe\xff", "text in UTF-16"},
		{"PK\x03\x04", "a ZIP archive"},
		{"\x1f\x8b", "packed with gzip"},
		{"SQLite format 3\x00", "a GeoPackage, or another database of SQLite"},
		{"\x00\x00\x27\x0a", "a Shapefile"},
		{"fgb\x03", "FlatGeobuf"},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return f.name
		}
	}

	// Without a mark, each letter of a key has a zero byte before it or behind it.
	if len(data) > 3 && (data[0] == 0) != (data[1] == 0) && (data[0] == 0) == (data[2] == 0) && (data[1] == 0) == (data[3] == 0) {
		return "text in UTF-16"
	}

	return ""
}

// firstInvalid returns where the first byte is that is no UTF-8, or a control
// character, and whether there is none.
func firstInvalid(data []byte) (options.Pos, bool) {
	pos := options.Pos{Line: 1, Column: 1}
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return pos, false
		case r == '\n':
			pos = options.Pos{Line: pos.Line + 1, Column: 1}
		case r == '\ufeff' && pos == options.Pos{Line: 1, Column: 1}: // the mark before the text is no part of it
		default:
			pos.Column++
		}

		data = data[n:]
	}

	return pos, true
}

// syntaxError gives an error of the YAML library its place. The library's words are
// its own, except for names of anchors, which may be the password of somebody who did not quote it.
func syntaxError(data []byte, err error) error {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("is no YAML")}
	}

	pos := options.Pos{Line: max(load.Mark.Line, 1), Column: max(load.Mark.Column, 1)}
	message := load.Message

	switch {
	case strings.Contains(message, "anchor"):
		return &options.PosError{Pos: pos, Err: errNoAlias()}
	case charAt(data, pos) == '\t':
		message = "a tab where YAML has spaces"
	case strings.Contains(message, "cannot start any token"):
		message += ": put the text in quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		message += ": text with a colon and a space in it stands in quotes, and keys of one mapping in one column"
	}

	if load.ContextMsg != "" && load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
		message += fmt.Sprintf(" (%s that begins in line %d)", load.ContextMsg, load.ContextMark.Line)
	}

	return &options.PosError{Pos: pos, Err: errors.New("is no YAML: " + message)}
}

// charAt returns the character at a place, 0 where there is none.
func charAt(data []byte, pos options.Pos) rune {
	line := 1
	for text := range bytes.Lines(data) {
		if line == pos.Line {
			if runes := []rune(string(text)); pos.Column <= len(runes) {
				return runes[pos.Column-1]
			}

			return 0
		}

		line++
	}

	return 0
}

func errNoAlias() error {
	return errors.New("anchors and aliases (& and *) are not for job files: what jobs share stands under defaults, and text that begins so stands in quotes")
}

// refuseUnsupported looks for what job files do not have.
func refuseUnsupported(n *yaml.Node) error {
	switch {
	case n.Anchor != "", n.Kind == yaml.AliasNode, n.Tag == "!!merge":
		return &options.PosError{Pos: options.Pos{Line: n.Line, Column: n.Column}, Err: errNoAlias()}
	case n.Style&yaml.TaggedStyle != 0, n.Tag == "!": // which makes a string of a number
		return &options.PosError{Pos: options.Pos{Line: n.Line, Column: n.Column}, Err: errors.New("tags (!) are not for job files: text that begins so stands in quotes")}
	}

	for _, c := range n.Content {
		if err := refuseUnsupported(c); err != nil {
			return err
		}
	}

	return nil
}
