package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// longestSentence is the bound of TestProseSentences, in words.
const longestSentence = 35

// rule is a line of .ci/prose.
type rule struct {
	pattern, allowed *regexp.Regexp // allowed is nil for none
	instead          string
}

// newRule compiles a line of .ci/prose.
func newRule(line string) (rule, error) {
	fields := strings.Split(line, "\t")
	if len(fields) != 3 && len(fields) != 2 || fields[0] == "" || fields[1] == "" {
		return rule{}, fmt.Errorf("%q: want a pattern, a tab and what to write instead", line)
	}

	words := func(pattern string) (*regexp.Regexp, error) {
		return regexp.Compile(`(?i)\b(?:` + strings.ReplaceAll(pattern, " ", `\s+`) + `)\b`)
	}

	pattern, err := words(fields[0])
	if err != nil || len(fields) == 2 || fields[2] == "" {
		return rule{pattern: pattern, instead: fields[1]}, err
	}
	allowed, err := words(fields[2])

	return rule{pattern: pattern, allowed: allowed, instead: fields[1]}, err
}

// find returns the offsets of what the rule forbids in a text.
func (r rule) find(text string) (offsets []int) {
	var allowed [][]int
	if r.allowed != nil {
		allowed = r.allowed.FindAllStringIndex(text, -1)
	}

	for _, found := range r.pattern.FindAllStringIndex(text, -1) {
		if !slices.ContainsFunc(allowed, func(a []int) bool { return a[0] <= found[0] && found[1] <= a[1] }) {
			offsets = append(offsets, found[0])
		}
	}

	return offsets
}

// proseRules returns the rules of .ci/prose.
func proseRules(t *testing.T) (rules []rule) {
	t.Helper()
	text, err := os.ReadFile("../../.ci/prose")
	if err != nil {
		t.Fatal(err)
	}

	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}

		r, err := newRule(strings.TrimSuffix(line, "\n"))
		if err != nil {
			t.Fatalf(".ci/prose: %v", err)
		}
		rules = append(rules, r)
	}

	return rules
}

// commentMark is what a comment has at the start of its lines.
var commentMark = regexp.MustCompile(`(?m)^[ \t]*(//|#+|--|>|\*)`)

// withoutMarks replaces the marks of comments by blanks, so that a pattern finds words across lines. Offsets stay.
func withoutMarks(text string) string {
	return commentMark.ReplaceAllStringFunc(text, func(s string) string { return strings.Repeat(" ", len(s)) })
}

// proseFiles returns the files whose words are checked, relative to the project. Not among them are test data and
// applied migrations, which stay as they are, and this test.
func proseFiles(t *testing.T) (files []string) {
	t.Helper()
	root := os.DirFS("../..")

	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}

		if d.IsDir() {
			if slices.Contains([]string{".git", "testdata", "bin", "dist", "migrations"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}

		kind := slices.Contains([]string{".md", ".go", ".sh", ".sql", ".yaml", ".yml", ".py", ".html", ".js"}, filepath.Ext(path))
		if (kind || d.Name() == "Makefile" || d.Name() == "Dockerfile") && d.Name() != "prose_test.go" {
			files = append(files, path)
		}

		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	return files
}

// No file has a word of .ci/prose. PROSE chooses files by a pattern.
func TestProseWords(t *testing.T) {
	rules := proseRules(t)
	chosen := regexp.MustCompile(os.Getenv("PROSE"))

	for _, path := range proseFiles(t) {
		if !chosen.MatchString(path) {
			continue
		}

		raw, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}

		text := withoutMarks(string(raw))
		for _, r := range rules {
			for _, at := range r.find(text) {
				end := min(len(text), at+60)
				t.Errorf("%s:%d: %q: write %q", path, 1+strings.Count(text[:at], "\n"), strings.Join(strings.Fields(text[at:end]), " "), r.instead)
			}
		}
	}
}

func TestProseRule(t *testing.T) {
	r, err := newRule("is no\tis not a\tthere is no")
	if err != nil {
		t.Fatal(err)
	}

	for text, want := range map[string]int{
		"This is no table.":                   1,
		"There is no table.":                  0,
		"// It is\n// no table, and IS NO\ty": 2,
		"This is none. It is not. Basis no.":  0,
	} {
		if got := r.find(withoutMarks(text)); len(got) != want {
			t.Errorf("%q: %d times, want %d", text, len(got), want)
		}
	}

	for _, line := range []string{"", "anew", "anew\t", "(\tx", "a\tb\tc\td"} {
		if _, err := newRule(line); err == nil {
			t.Errorf("line %q is taken", line)
		}
	}
}

var (
	fencedBlock  = regexp.MustCompile("(?ms)^[ \t]*```.*?^[ \t]*```[ \t]*$")
	paragraphEnd = regexp.MustCompile(`(?m)\n[ \t]*\n|\n[ \t]*([-*]|\d+\.)[ \t]|\n[ \t]*#|\||\n {4}|\n\t`)
	sentenceEnd  = regexp.MustCompile(`[.!?:;]["')*]*\s`)
	codeSpan     = regexp.MustCompile("`[^`]*`")
	linkTarget   = regexp.MustCompile(`\]\([^)]*\)`)
)

// longSentences returns the sentences of a Markdown text that have more than longestSentence words. A cell of a table, an
// item of a list and what a colon or a semicolon ends are sentences of their own, and code is one word.
func longSentences(text string) (long []string) {
	text = fencedBlock.ReplaceAllString(text, "\n\n")
	text = codeSpan.ReplaceAllString(text, "`x`")
	text = linkTarget.ReplaceAllString(text, "]")

	for _, paragraph := range paragraphEnd.Split(text, -1) {
		for _, sentence := range sentenceEnd.Split(paragraph+" ", -1) {
			if words := strings.Fields(sentence); len(words) > longestSentence {
				long = append(long, strings.Join(words, " "))
			}
		}
	}

	return long
}

func TestLongSentences(t *testing.T) {
	words := func(n int) string { return strings.TrimSpace(strings.Repeat("word ", n)) }

	for text, want := range map[string]int{
		words(35) + ".":                           0,
		words(36) + ".":                           1,
		words(20) + "\n" + words(16) + "\n":       1,
		words(20) + ". " + words(16) + ".":        0,
		"| " + words(20) + " | " + words(20):      0,
		"- " + words(20) + "\n- " + words(20):     0,
		"```\n" + words(50) + "\n```\n":           0,
		words(34) + " `" + words(5) + "`.":        0,
		"[a](b" + words(5) + ") " + words(33):     0,
		words(10) + " (e.g.) " + words(36) + "\n": 1,
	} {
		if got := longSentences(text); len(got) != want {
			t.Errorf("%q: %d long sentences, want %d", text, len(got), want)
		}
	}
}

// No sentence of the documents and of the help is longer than longestSentence. PROSE chooses by a pattern of
// files' and commands' names.
func TestProseSentences(t *testing.T) {
	chosen := regexp.MustCompile(os.Getenv("PROSE"))
	check := func(name, text string) {
		if !chosen.MatchString(name) {
			return
		}
		for _, s := range longSentences(text) {
			t.Errorf("%s: %d words, at most %d: %s", name, len(strings.Fields(s)), longestSentence, s)
		}
	}

	for _, path := range proseFiles(t) {
		if filepath.Ext(path) != ".md" {
			continue
		}

		text, err := os.ReadFile(filepath.Join("../..", path))
		if err != nil {
			t.Fatal(err)
		}
		check(path, string(text))
	}

	everyCommand(newRootCommand(), func(c *cobra.Command) {
		check(c.CommandPath(), c.Short+"\n\n"+c.Long)
		c.LocalFlags().VisitAll(func(f *pflag.Flag) { check(c.CommandPath()+" --"+f.Name, f.Usage) })
	})
}
