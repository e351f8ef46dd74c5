package geojson

import (
	"io"
	"strings"
)

// The strings that lenient writes for numbers that JSON does not have. They have the length of the
// words, and begin with a byte that no UTF-8 text has.
const (
	nanString           = "\"\xff\""
	infinityString      = "\"\xffInfin\""
	minusInfinityString = "\"\xff-Infin\""
)

// The limits of strings and numbers, which are above those of values, and of white space.
const (
	maxToken = maxValue + 16
	maxSpace = 1 << 10
)

// class is the class of a byte outside strings.
type class byte

const (
	plainByte class = iota
	spaceByte
	numberByte
	recordByte // the record separator
	wordByte   // begins NaN, Infinity or -Infinity
	quoteByte  // begins a string
)

// lenient turns input that is almost JSON into JSON. NaN and Infinity, which several programs
// write, become strings. The record separators of text sequences (RFC 8142) become white space. It
// shortens strings, numbers and white space that are too long for memory.
type lenient struct {
	r       io.Reader
	classes [256]class
	buf     []byte
	ready   []byte // part of buf that was not returned yet
	held    []byte // part of buf that may be the beginning of a word
	err     error
	dropped int64 // bytes left out

	inString bool
	full     bool  // the rest of the string is dropped
	escape   int   // remaining bytes of an escape
	run      int   // length so far of the current string, number or white space
	last     class // of the previous byte outside strings
}

func newLenient(r io.Reader) *lenient {
	l := &lenient{r: r, buf: make([]byte, 1<<16)}

	for bytes, c := range map[string]class{" \n\r\t": spaceByte, "0123456789.eE+": numberByte, "\x1e": recordByte, "NI-": wordByte, `"`: quoteByte} {
		for i := range len(bytes) {
			l.classes[bytes[i]] = c
		}
	}

	return l
}

func (l *lenient) Read(p []byte) (int, error) {
	for len(l.ready) == 0 {
		if l.err != nil {
			return 0, l.err
		}
		l.fill()
	}

	n := copy(p, l.ready)
	l.ready = l.ready[n:]

	return n, nil
}

// fill reads some bytes, and changes those that are not JSON.
func (l *lenient) fill() {
	kept := copy(l.buf, l.held)
	n, err := l.r.Read(l.buf[kept:])
	all := l.buf[:kept+n]
	l.err, l.held = err, nil
	wrote := 0

	for read := 0; read < len(all); {
		if l.inString {
			r, w := l.text(all[wrote:], all[read:])
			read, wrote = read+r, wrote+w
			continue
		}

		from, c, end := all[read:], l.classes[all[read]], 1

		switch c {
		case wordByte:
			instead, n, more := word(from)
			if more && err == nil {
				l.held = from
				l.ready = all[:wrote]
				return
			}

			if n > 0 {
				wrote += copy(all[wrote:], instead)
				read += n
				l.last = plainByte
				continue
			}
			c = numberByte // a minus, or an error
		case recordByte:
			from[0], c = '\n', spaceByte
		case quoteByte:
			l.inString, l.run = true, 0
		default:
			for end < len(from) && l.classes[from[end]] == c {
				end++
			}
		}

		wrote += copy(all[wrote:], from[:l.keep(c, end)])
		read += end
	}

	l.ready = all[:wrote]
}

// word returns the replacement of the word at the start of the bytes, and its length, 0 for none.
// more means that the bytes may be the beginning of a word.
func word(b []byte) (instead string, n int, more bool) {
	for _, w := range [...][2]string{{"NaN", nanString}, {"Infinity", infinityString}, {"-Infinity", minusInfinityString}} {
		n := min(len(b), len(w[0]))
		switch {
		case string(b[:n]) != w[0][:n]:
		case n == len(w[0]):
			return w[1], n, false
		default:
			more = true
		}
	}

	return "", 0, more
}

// keep returns how many of n bytes of a class are kept, outside strings.
func (l *lenient) keep(c class, n int) int {
	most := maxToken
	switch c {
	case plainByte, quoteByte:
		l.last = c
		return n
	case spaceByte:
		most = maxSpace
	}

	if c != l.last {
		l.last, l.run = c, 0
	}

	kept := max(0, min(n, most-l.run))
	l.run += kept
	l.dropped += int64(n - kept)

	return kept
}

// text copies the bytes of a string up to its end, but none beyond the limit. It returns how many
// it read and wrote.
func (l *lenient) text(to, from []byte) (read, wrote int) {
	const behindBackslash = 5

	for read < len(from) {
		begin := read

		switch b := from[read]; {
		case l.escape == behindBackslash:
			l.escape = 0
			if b == 'u' {
				l.escape = 4
			}
			read++
		case l.escape > 0:
			l.escape--
			read++
		case b == '"':
			l.inString, l.full, l.last = false, false, quoteByte
			to[wrote] = b
			return read + 1, wrote + 1
		case b == '\\':
			l.full, l.escape = l.run >= maxToken, behindBackslash
			read++
		default:
			for read < len(from) && from[read] != '"' && from[read] != '\\' {
				read++
			}

			kept := max(0, min(read-begin, maxToken-l.run))
			wrote += copy(to[wrote:], from[begin:begin+kept])
			l.run += kept
			l.dropped += int64(read - begin - kept)
			continue
		}

		if l.full {
			l.dropped++
			continue
		}

		to[wrote] = from[begin]
		wrote++
		l.run++
	}

	return read, wrote
}

// isReplaced tells whether text is one of the strings above, as the library decodes it.
func isReplaced(text string) bool {
	return strings.HasPrefix(text, "\uFFFD") && (text == "\uFFFD" || text == "\uFFFDInfin" || text == "\uFFFD-Infin")
}
