package main

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// formatCount formats a number with its digits in groups of three.
func formatCount(n int64) string {
	s := fmt.Sprint(n)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}

	var b strings.Builder
	for i, d := range s {
		if i > 0 && (len(s)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}

	return sign + b.String()
}

// formatBytes formats a number of bytes in a suitable unit, a power of 1000.
func formatBytes(n int64) string {
	units := []string{"B", "kB", "MB", "GB", "TB", "PB", "EB"}
	f := float64(n)
	i := 0

	for ; f >= 999.95 && i < len(units)-1; i++ {
		f /= 1000
	}

	if i == 0 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", f, units[i])
}

// formatDuration formats a duration for people.
func formatDuration(d time.Duration) string {
	if d = d.Round(100 * time.Millisecond); d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// formatSeconds formats seconds, which may be more than a time.Duration holds.
func formatSeconds(seconds float64) string {
	const day = 24 * 60 * 60
	switch {
	case seconds >= 2*365*day:
		return fmt.Sprintf("%.0f years", seconds/(365*day))
	case seconds >= 2*day:
		return fmt.Sprintf("%.0f days", seconds/day)
	}

	return formatDuration(time.Duration(seconds * float64(time.Second)))
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// pluralCount formats a number with its noun.
func pluralCount(n int64, word string) string {
	if n != 1 {
		word += "s"
	}
	return formatCount(n) + " " + word
}

// were formats a number with its noun, if any, and "was" or "were".
func were(n int64, word string) string {
	text, verb := formatCount(n), "were"
	if word != "" {
		text = pluralCount(n, word)
	}
	if n == 1 {
		verb = "was"
	}

	return text + " " + verb
}

// formatRowRate formats a number of rows per second.
func formatRowRate(perSecond float64) string {
	return pluralCount(int64(perSecond), "row") + "/s"
}

// oneLine returns any text on one line. It replaces characters that would control a terminal by question marks.
func oneLine(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s, "?")), " ")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return '?'
		}
		return r
	}, s)
}
