package mdblocks

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.md")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	path := write(t, "# A\n\n```sh\n# no heading\nls\n```\n\ntext `x`\n\n## B c\n```\n\n```\n```yaml\n```\n")
	got, err := Read(path)
	want := []Block{
		{"sh", "# no heading\nls\n", path, 4, "A"},
		{"", "\n", path, 12, "B c"},
		{"yaml", "", path, 15, "B c"},
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestReadRefused(t *testing.T) {
	if _, err := Read(write(t, "```sh\nls\n")); err == nil {
		t.Error("a block without an end is not refused")
	}
	if _, err := Read(filepath.Join(t.TempDir(), "nowhere.md")); err == nil {
		t.Error("a missing file is not refused")
	}
}
