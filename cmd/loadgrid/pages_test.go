package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/mdblocks"
)

// pages returns the Markdown files of the project, by their paths in it.
func pages(t *testing.T) (paths []string) {
	t.Helper()
	for _, path := range proseFiles(t) {
		if filepath.Ext(path) == ".md" {
			paths = append(paths, path)
		}
	}
	return paths
}

// anchors returns the anchors of a Markdown file's headings, as GitHub makes them.
func anchors(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}

	found := make(map[string]bool)
	for _, m := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(fencedBlock.ReplaceAllString(string(text), ""), -1) {
		title := strings.ToLower(linkTarget.ReplaceAllString(m[1], "]"))
		title = regexp.MustCompile(`[^\pL\pN _-]`).ReplaceAllString(title, "")
		found[strings.ReplaceAll(title, " ", "-")] = true
	}

	return found
}

// Each relative link of a document leads to a file, and to a heading of it.
func TestLinks(t *testing.T) {
	links := regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)

	for _, page := range pages(t) {
		text, err := os.ReadFile(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}

		for _, m := range links.FindAllStringSubmatch(fencedBlock.ReplaceAllString(string(text), ""), -1) {
			target, anchor, _ := strings.Cut(m[1]+m[2], "#")
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}

			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(filepath.Join("../..", path)); err != nil {
				t.Errorf("%s links to %s: %v", page, m[1]+m[2], err)
				continue
			}
			if anchor != "" && !anchors(t, path)[anchor] {
				t.Errorf("%s links to %s, which has no such heading", page, m[1]+m[2])
			}
		}
	}
}

// Each page of docs has a link in the README.
func TestReadmeLinksToAllPages(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}

	for _, page := range append(pages(t), "docs/job.schema.json") {
		if strings.HasPrefix(page, "docs/") && !strings.Contains(string(readme), "]("+page+")") {
			t.Errorf("the README has no link to %s", page)
		}
	}
	if lines := strings.Count(string(readme), "\n"); lines > 250 {
		t.Errorf("the README has %d lines, at most 250", lines)
	}
}

// Each command line of a document has flags that exist.
func TestCommandsOfDocuments(t *testing.T) {
	clearEnv(t)
	placeholder := regexp.MustCompile(`^(\.\.\.|[A-Z]+|FILE|\[.*)$`)

	seen := 0
	for _, page := range pages(t) {
		blocks, err := mdblocks.Read(filepath.Join("../..", page))
		if err != nil {
			t.Fatal(err)
		}

		for _, b := range blocks {
			for _, args := range shellCommands(typed(b)) {
				args = clean(args, placeholder)
				if len(args) == 0 || strings.HasPrefix(args[0], "-") {
					continue
				}
				seen++
				if _, err := parseCommand(args); err != nil && !strings.Contains(err.Error(), "arg(s)") {
					t.Errorf("%s: loadgrid %s: %v", b.Name(), strings.Join(args, " "), err)
				}
			}
		}
	}

	if seen < 80 {
		t.Errorf("%d commands seen, want 80 or more", seen)
	}
}

// typed returns what you type of a block: the lines after a dollar where there is one, else all lines of sh.
func typed(b mdblocks.Block) string {
	if b.Language == "sh" {
		return b.Text
	}

	typed := ""
	for _, line := range regexp.MustCompile(`(?m)^\$ (?:.*\\\n)*.*\n`).FindAllString(b.Text, -1) {
		typed += strings.TrimPrefix(line, "$ ")
	}

	return typed
}

// clean leaves out comments and placeholders.
func clean(args []string, placeholder *regexp.Regexp) (words []string) {
	for _, a := range args {
		if a == "#" {
			break
		}
		if !placeholder.MatchString(a) {
			words = append(words, a)
		}
	}
	return words
}
