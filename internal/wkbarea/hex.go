package wkbarea

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/loadgrid/loadgrid/internal/feature"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// psqlMark is the prefix that psql writes before the digits of a bytea.
const psqlMark = `\x`

// ReadHex reads geometries as hexadecimal digits of their WKB or EWKB, one per line, with or
// without \x before the digits, until r ends. It skips blank lines. Geometries have no attributes.
// Errors are *geomgen.ParamError, unless r fails.
func ReadHex(r *bufio.Reader, to *gather.Collector) (feature.Schema, error) {
	var c crs
	digits := &hexLine{r: r}
	decoded := bufio.NewReaderSize(digits, 1<<16)

	for {
		err := digits.begin()
		if errors.Is(err, io.EOF) {
			return feature.Schema{SRID: c.srid}, nil
		}

		if digits.line > 1 {
			to.Where = fmt.Sprintf(", in line %d", digits.line)
		}

		if err == nil {
			decoded.Reset(digits)
			err = c.geometry(decoded, to)
		}

		if err == nil {
			err = digits.finish(decoded)
		}

		if err != nil {
			return feature.Schema{}, err
		}
	}
}

// IsHex tells whether the text of a file, without leading white space, begins with a geometry in
// hexadecimal digits.
func IsHex(head []byte) bool {
	digits := bytes.TrimPrefix(head, []byte(psqlMark))
	if len(digits) < 10 {
		return false
	}

	var b [5]byte
	for i := range b {
		high, low := digit(digits[2*i]), digit(digits[2*i+1])
		if high < 0 || low < 0 {
			return false
		}
		b[i] = byte(high<<4 | low)
	}

	return IsWKB(b[:])
}

// hexLine decodes the digits of a line.
type hexLine struct {
	r      *bufio.Reader
	line   int // line of the next byte, from 1 once begin was called
	column int // of the next byte, from 0
	ended  bool
}

// begin goes to the digits of the next line that is not blank. At the end of the file, the error is
// io.EOF.
func (h *hexLine) begin() error {
	h.line = max(h.line, 1)

	for {
		b, err := h.r.ReadByte()
		if err != nil {
			return err
		}

		switch b {
		case '\n':
			h.line, h.column = h.line+1, 0
			continue
		case ' ', '\t', '\r':
			h.column++
			continue
		}

		if err := h.r.UnreadByte(); err != nil {
			return err
		}

		if mark, err := h.r.Peek(len(psqlMark)); err == nil && string(mark) == psqlMark {
			h.column += len(psqlMark)
			_, _ = h.r.Discard(len(psqlMark))
		}

		h.ended = false
		return nil
	}
}

// Read decodes digits up to the end of the line or white space.
func (h *hexLine) Read(p []byte) (n int, err error) {
	for n < len(p) && !h.ended {
		high, err := h.digit()
		switch {
		case err != nil:
			return n, err
		case h.ended:
			continue
		}

		low, err := h.digit()
		switch {
		case err != nil:
			return n, err
		case h.ended:
			return n, feature.BadArea("has an odd number of hexadecimal digits in line %d", h.line)
		}

		p[n] = byte(high<<4 | low)
		n++
	}

	if n == 0 && len(p) > 0 {
		return 0, io.EOF
	}
	return n, nil
}

// digit reads a digit, or notes that the digits end.
func (h *hexLine) digit() (int, error) {
	b, err := h.r.ReadByte()
	switch {
	case errors.Is(err, io.EOF):
		h.ended = true
		return 0, nil
	case err != nil:
		return 0, err
	case b == '\n' || b == ' ' || b == '\t' || b == '\r':
		h.ended = true
		return 0, h.r.UnreadByte()
	}

	h.column++
	if d := digit(b); d >= 0 {
		return d, nil
	}

	return 0, feature.BadArea("has %q among the hexadecimal digits of a geometry, at line %d, character %d", b, h.line, h.column)
}

func digit(b byte) int {
	switch {
	case b >= '0' && b <= '9':
		return int(b - '0')
	case b >= 'a' && b <= 'f':
		return int(b - 'a' + 10)
	case b >= 'A' && b <= 'F':
		return int(b - 'A' + 10)
	}
	return -1
}

// finish refuses anything that follows a geometry on its line.
func (h *hexLine) finish(decoded *bufio.Reader) error {
	switch _, err := decoded.Peek(1); {
	case err == nil:
		return feature.BadArea("has digits after the end of the geometry in line %d: put each geometry on its own line", h.line)
	case !errors.Is(err, io.EOF):
		return err
	}

	for {
		b, err := h.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case b == '\n':
			return h.r.UnreadByte()
		case b != ' ' && b != '\t' && b != '\r':
			return feature.BadArea("has %q after the geometry in line %d: put each geometry on its own line", b, h.line)
		}
	}
}
