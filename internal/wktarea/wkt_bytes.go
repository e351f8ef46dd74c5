package wktarea

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// wktReader reads WKT byte by byte. Its text begins after an SRID.
type wktReader struct {
	r    *bufio.Reader
	to   *gather.Collector
	word []byte // the last word or number, in capitals
	// The place of the next byte: its line from 1, its column from 0, and its offset in the text.
	line, column int
	offset       int64
	behind       string // what comes before the text
	lastLine     int    // line of the last byte that is not white space
}

// wktError reports a syntax error in WKT and its place.
type wktError string

func (e wktError) Error() string { return string(e) }

// fault reports a syntax error, back bytes before the next one.
func (w *wktReader) fault(back int, format string, args ...any) error {
	text := fmt.Sprintf(format, args...) + fmt.Sprintf(" at line %d, pos %d", w.line+1, max(0, w.column-back))
	if w.behind != "" {
		text += " after " + w.behind
	}
	return wktError(text)
}

// readByte returns the next byte, 0 at the end.
func (w *wktReader) readByte() (byte, error) {
	b, err := w.r.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil
	case err != nil:
		return 0, err
	}

	w.offset++
	w.column++

	switch b {
	case 0:
		return 0, feature.BadArea("cannot be read as WKT: it has a zero byte, at byte %d", w.offset)
	case '\n':
		w.line, w.column = w.line+1, 0
	}

	if !isSpace(b) {
		w.lastLine = w.line
	}
	return b, nil
}

// unread takes back a byte, which must not be a line break or the end.
func (w *wktReader) unread(b byte) {
	if b != 0 {
		_ = w.r.UnreadByte() // the last read was of a byte
		w.offset--
		w.column--
	}
}

func isSpace(b byte) bool { return b == ' ' || b == '\n' || b == '\r' || b == '\t' }

// next returns the next byte that is not white space, 0 at the end.
func (w *wktReader) next() (byte, error) {
	for {
		if b, err := w.readByte(); err != nil || !isSpace(b) {
			return b, err
		}
	}
}

// take skips white space and reads into word the bytes for which is returns true.
func (w *wktReader) take(is func(b byte) bool) error {
	w.word = w.word[:0]
	b, err := w.next()
	for ; err == nil && is(b); b, err = w.readByte() {
		if len(w.word) == 400 {
			return w.fault(400, "a word or number is too long")
		}
		if b >= 'a' && b <= 'z' {
			b -= 'a' - 'A'
		}
		w.word = append(w.word, b)
	}

	switch {
	case err != nil:
		return err
	case b == '\n':
		return nil // a line break has no meaning
	}

	w.unread(b)
	return nil
}

func isLetter(b byte) bool { return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' }

func isNumber(b byte) bool {
	return b >= '0' && b <= '9' || b == '.' || b == '-' || b == '+' || b == 'e' || b == 'E'
}
