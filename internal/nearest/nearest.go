// Package nearest guesses which of several names a mistyped word means.
package nearest

import (
	"slices"
	"strings"
)

// Name returns the name that is most similar to a word, if one is: it differs only in case, at most one of
// every three letters differs, it is the only name that begins with the word, or the word begins with it and a hyphen.
func Name(word string, names []string) (string, bool) {
	best, least := "", len(word)/3+1
	word = strings.ToLower(word)
	for _, name := range slices.Sorted(slices.Values(names)) {
		if d := distance(word, strings.ToLower(name), least); d < least {
			best, least = name, d
		}
	}

	if best == "" {
		best = onlyBeginning(word, names)
	}
	if best == "" {
		best = longestPart(word, names)
	}

	return best, best != ""
}

// longestPart returns the longest name with which a word of several parts begins, as kept for kept-versions.
func longestPart(word string, names []string) (found string) {
	for _, name := range names {
		if strings.HasPrefix(word, strings.ToLower(name)+"-") && len(name) > len(found) {
			found = name
		}
	}

	return found
}

// onlyBeginning returns the name that begins with a word of three or more letters, if it is the only one.
func onlyBeginning(word string, names []string) (found string) {
	if len(word) < 3 {
		return ""
	}

	for _, name := range names {
		switch {
		case !strings.HasPrefix(strings.ToLower(name), word):
		case found != "":
			return ""
		default:
			found = name
		}
	}

	return found
}

// distance is the number of letters to insert, delete, replace or swap with the next one to turn a
// into b (optimal string alignment), or most if it is not less.
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
