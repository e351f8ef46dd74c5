package integration

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The list of tests for all servers names only existing tests, each once.
func TestChosenTestsExist(t *testing.T) {
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files of tests: %v", len(files), err)
	}

	there := map[string]bool{}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "Test") {
				there[f.Name.Name] = true
			}
		}
	}

	text, err := os.ReadFile("servers_tests.txt")
	if err != nil {
		t.Fatal(err)
	}

	chosen := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		name, _, _ := strings.Cut(line, "#")
		if name = strings.TrimSpace(name); name == "" {
			continue
		}
		if !there[name] {
			t.Errorf("servers_tests.txt names %s, but there is no such test", name)
		}
		if chosen[name] {
			t.Errorf("servers_tests.txt names %s twice", name)
		}
		chosen[name] = true
	}

	if len(chosen) < 40 {
		t.Errorf("servers_tests.txt has only %d tests: most of what loadgrid needs from a server is not tested", len(chosen))
	}
}
