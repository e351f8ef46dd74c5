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

// MaxSize is the maximum size of a job file in bytes. It is larger than any file that people write, and small enough to be
// read in a moment.
const MaxSize = 1 << 20

// parse returns the only document of a YAML text. It refuses what job files do not need: anchors and aliases,
// which can expand a short text into a very long one, and tags.
func parse(data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: fmt.Errorf("has more than %d bytes, the limit for a job file", MaxSize)}
	}

	if kind := foreign(data); kind != "" {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("is " + kind + ", but a job file must be YAML text in UTF-8")}
	}

	if pos, ok := firstInvalid(data); !ok {
		return nil, &options.PosError{Pos: pos, Err: errors.New("is not text in UTF-8")}
	}

	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}

	var doc, more yaml.Node

	switch err := loader.Load(&doc); {
	case errors.Is(err, io.EOF):
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("has no jobs: it is empty")}
	case err != nil:
		return nil, syntaxError(data, err)
	}

	if len(doc.Content) != 1 {
		return nil, &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("has no jobs: it is empty")}
	}

	root := doc.Content[0]
	if err := refuseUnsupported(root); err != nil {
		return nil, err
	}

	switch err := loader.Load(&more); {
	case err == nil:
		return nil, &options.PosError{Pos: options.Pos{Line: more.Line, Column: more.Column}, Err: errors.New("a second YAML document starts here: put all jobs in one list under jobs")}
	case !errors.Is(err, io.EOF):
		return nil, syntaxError(data, err)
	}

	return root, nil
}

// foreign names the format of a file that does not begin like text in UTF-8, or returns "" if it is unknown.
func foreign(data []byte) string {
	for _, f := range [...]struct{ magic, name string }{
		{"\xff\xfe", "text in UTF-16"},
		{"\xfe\xff", "text in UTF-16"},
		{"PK\x03\x04", "a ZIP archive"},
		{"\x1f\x8b", "compressed with gzip"},
		{"SQLite format 3\x00", "a GeoPackage, or another database of SQLite"},
		{"\x00\x00\x27\x0a", "a Shapefile"},
		{"fgb\x03", "FlatGeobuf"},
	} {
		if bytes.HasPrefix(data, []byte(f.magic)) {
			return f.name
		}
	}

	// Without a byte order mark, each letter of a key has a zero byte before or after it.
	if len(data) > 3 && (data[0] == 0) != (data[1] == 0) && (data[0] == 0) == (data[2] == 0) && (data[1] == 0) == (data[3] == 0) {
		return "text in UTF-16"
	}

	return ""
}

// firstInvalid returns the position of the first byte that is not UTF-8 or is a control
// character, and whether the text has none.
func firstInvalid(data []byte) (options.Pos, bool) {
	pos := options.Pos{Line: 1, Column: 1}
	for len(data) > 0 {
		r, n := utf8.DecodeRune(data)
		switch {
		case r == utf8.RuneError && n == 1, r < ' ' && r != '\t' && r != '\n' && r != '\r', r >= 0x7f && r < 0xa0 && r != 0x85:
			return pos, false
		case r == '\n':
			pos = options.Pos{Line: pos.Line + 1, Column: 1}
		case r == '\ufeff' && pos == options.Pos{Line: 1, Column: 1}: // the byte order mark is not part of the text
		default:
			pos.Column++
		}

		data = data[n:]
	}

	return pos, true
}

// syntaxError adds the position to an error of the YAML library. The library's messages quote no text, except for
// names of anchors, which may be an unquoted password.
func syntaxError(data []byte, err error) error {
	var load *yaml.LoadError
	if !errors.As(err, &load) {
		return &options.PosError{Pos: options.Pos{Line: 1, Column: 1}, Err: errors.New("is not valid YAML")}
	}

	pos := options.Pos{Line: max(load.Mark.Line, 1), Column: max(load.Mark.Column, 1)}
	message := load.Message

	switch {
	case strings.Contains(message, "anchor"):
		return &options.PosError{Pos: pos, Err: errNoAlias()}
	case charAt(data, pos) == '\t':
		message = "a tab where YAML needs spaces"
	case strings.Contains(message, "cannot start any token"):
		message += ": put the text in quotes"
	case strings.Contains(message, "mapping values are not allowed"):
		message += ": quote text that contains a colon and a space, and put the keys of a mapping in the same column"
	}

	if load.ContextMsg != "" && load.ContextMark.Line > 0 && load.ContextMark.Line != load.Mark.Line {
		message += fmt.Sprintf(" (%s that begins on line %d)", load.ContextMsg, load.ContextMark.Line)
	}

	return &options.PosError{Pos: pos, Err: errors.New("is not valid YAML: " + message)}
}

// charAt returns the character at a position, 0 if there is none.
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
	return errors.New("job files cannot have anchors and aliases (& and *): put shared keys under defaults, and quote text that starts with & or *")
}

// refuseUnsupported refuses the parts of YAML that job files do not have.
func refuseUnsupported(n *yaml.Node) error {
	switch {
	case n.Anchor != "", n.Kind == yaml.AliasNode, n.Tag == "!!merge":
		return &options.PosError{Pos: options.Pos{Line: n.Line, Column: n.Column}, Err: errNoAlias()}
	case n.Style&yaml.TaggedStyle != 0, n.Tag == "!": // ! turns a number into a string
		return &options.PosError{Pos: options.Pos{Line: n.Line, Column: n.Column}, Err: errors.New("job files cannot have tags (!): quote text that starts with an exclamation mark")}
	}

	for _, c := range n.Content {
		if err := refuseUnsupported(c); err != nil {
			return err
		}
	}

	return nil
}
