package mdblocks

import (
	"maps"
	"testing"
)

func TestSQLParts(t *testing.T) {
	got, err := SQLParts(write(t, "-- head\n\n-- ## A b?\n\nselect 1;\n-- ## C\nselect 2;\n"))
	want := map[string]string{"A b?": "\nselect 1;", "C": "select 2;\n"}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %q, %v", got, err)
	}

	if _, err := SQLParts(write(t, "-- ## A\n-- ## A\n")); err == nil {
		t.Error("two parts with the same heading are not refused")
	}
	if _, err := SQLParts("nowhere.sql"); err == nil {
		t.Error("a missing file is not refused")
	}
}
