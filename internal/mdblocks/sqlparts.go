package mdblocks

import (
	"fmt"
	"os"
	"strings"
)

// SQLParts returns the parts of an SQL file by their headings. A part begins with a line "-- ## HEADING".
// Text before the first heading is ignored. Two parts with the same heading are an error.
func SQLParts(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the SQL of a document: %w", err)
	}

	parts := make(map[string]string)
	for _, part := range strings.Split("\n"+string(text), "\n-- ## ")[1:] {
		heading, sql, _ := strings.Cut(part, "\n")
		if _, twice := parts[heading]; twice {
			return nil, fmt.Errorf("%s has two parts %q", path, heading)
		}
		parts[heading] = sql
	}

	return parts, nil
}
