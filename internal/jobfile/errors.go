package jobfile

import (
	"fmt"
	"strings"

	"github.com/loadgrid/loadgrid/internal/options"
)

// Error is a mistake in a job file.
type Error struct {
	options.Pos
	Message string
}

// Errors are the mistakes in a job file, in the order of the file.
type Errors struct {
	File string
	List []Error
}

// shownErrors is how many mistakes a message shows, because they are on one line.
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
