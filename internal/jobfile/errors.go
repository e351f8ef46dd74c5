package jobfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/loadgrid/loadgrid/internal/options"
)

// Error is a mistake in a job file.
type Error struct {
	options.Pos
	Message string
}

// Errors are the mistakes of a job file, in its order.
type Errors struct {
	File string
	List []Error
}

// shownErrors is how many mistakes a message names: they are on one line.
const shownErrors = 5

func (e *Errors) Error() string {
	var b strings.Builder
	b.WriteString(e.File)

	for i, one := range e.List {
		switch i {
		case 0:
			b.WriteString(":")
		case shownErrors:
			fmt.Fprintf(&b, "; and %d more", len(e.List)-i)
			return b.String()
		default:
			b.WriteString("; ")
		}

		fmt.Fprintf(&b, "%d:%d: %s", one.Line, one.Column, one.Message)
	}

	return b.String()
}

// Nearest returns the name that is most like a word, and whether one is: of three
// letters at most one differs.
func Nearest(word string, names []string) (string, bool) {
	best, least := "", len(word)/3+1
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := distance(word, name, least); d < least {
			best, least = name, d
		}
	}

	return best, best != ""
}

// distance is the number of letters to put in, leave out, exchange or swap with the
// next to make b of a (optimal string alignment), or most where it is not less.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}

	var before []int
	row := make([]int, len(b)+1)

	for j := range row {
		row[j] = j
	}

	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i

		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}

			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}

		before, row = row, next
	}

	return min(row[len(b)], most)
}
