package nearest

import (
	"strings"
	"testing"
)

func TestName(t *testing.T) {
	names := []string{"cell-size", "cols", "rows", "table", "code", "code-order"}
	for word, want := range map[string]string{
		"cell_size": "cell-size", "cellsize": "cell-size", "col": "cols", "row": "rows", "tabel": "table", "codes": "code",
		"": "", "x": "", "extent": "",
		"code-of-cells": "code", "rows-and-cols": "rows", "code-order-by": "code-order", "tables-of-cells": "",
		"cell": "cell-size", "CODE": "code", "tab": "table", "ta": "", "co": "", "color": "", strings.Repeat("x", 100000): "",
	} {
		if got, ok := Name(word, names); got != want || ok != (want != "") {
			t.Errorf("nearest to %.20q is %q, want %q", word, got, want)
		}
	}
}
