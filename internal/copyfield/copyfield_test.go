package copyfield_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/internal/copyfield"
)

// The bytes are those that PostgreSQL 15 sends: select encode(int2send('-2'), 'hex') and so on.
func ExampleEncoder_Append() {
	e := copyfield.NewEncoder()
	for _, v := range [][2]string{{"", "ä"}, {"smallint", "-2"}, {"double precision", "0.5"}, {"date", "infinity"}, {"jsonb", "[1.00]"}} {
		field, err := e.Append(nil, v[0], v[1])
		fmt.Printf("%x %v\n", field, err)
	}

	_, err := e.Append(nil, "boolean", "maybe")
	fmt.Println(err)

	// Output:
	// 00000002c3a4 <nil>
	// 00000002fffe <nil>
	// 000000083fe0000000000000 <nil>
	// 000000047fffffff <nil>
	// 00000007015b312e30305d <nil>
	// the value is not a valid boolean
}

// Each type is found under its names and no other.
func TestTypes(t *testing.T) {
	if !slices.IsSorted(copyfield.Types()) {
		t.Errorf("%v are not in order", copyfield.Types())
	}
	for _, name := range copyfield.Types() {
		sqlType, ok := copyfield.SQLType(name)
		if !ok || !slices.Contains(copyfield.Types(), sqlType) {
			t.Errorf("%s is %q, %v", name, sqlType, ok)
		}
	}

	if sqlType, ok := copyfield.SQLType(""); !ok || sqlType != "text" {
		t.Errorf("without a name it is %q", sqlType)
	}

	if _, ok := copyfield.SQLType("money"); ok {
		t.Error("type money is supported")
	}
	_, err := copyfield.NewEncoder().Append(nil, "money", "1")
	if err == nil || !strings.Contains(err.Error(), "type money is not supported; the types are bigint, bool") {
		t.Errorf("the error is %v", err)
	}
}

// FuzzAppend encodes any text in each type. An accepted value follows its length, and the field
// follows the bytes that were already there.
func FuzzAppend(f *testing.F) {
	for _, text := range []string{"", "1", "-1.5e3", "NaN", "infinity", "2026-02-29", "t", "[1]", "\x00", "\xff", "00000000-0000-0000-0000-000000000000"} {
		f.Add(text)
	}

	e := copyfield.NewEncoder()
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range copyfield.Types() {
			b, err := e.Append([]byte("before"), name, text)
			if err != nil {
				if b != nil || err.Error() == "" {
					t.Fatalf("%s %q: %x in addition to the error %v", name, text, b, err)
				}
				continue
			}

			field, ok := bytes.CutPrefix(b, []byte("before"))
			if !ok || len(field) < 4 || binary.BigEndian.Uint32(field) != uint32(len(field)-4) {
				t.Fatalf("%s %q is encoded as %x", name, text, b)
			}
			if name == "text" && string(field[4:]) != text {
				t.Fatalf("text %q is encoded as %x", text, field)
			}
		}
	})
}
