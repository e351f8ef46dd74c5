package unpack

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
)

func pack(t testing.TB, parts ...string) []byte {
	t.Helper()

	var b bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&b)
		if _, err := io.WriteString(w, part); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}

	return b.Bytes()
}

func TestReader(t *testing.T) {
	geojson, err := os.ReadFile("testdata/area.geojson.gz")
	if err != nil {
		t.Fatal(err)
	}

	for _, test := range []struct {
		name, in, want string
	}{
		{"nothing", "", ""},
		{"two bytes", "\x1f\x8b", "\x1f\x8b"},
		{"plain", "POLYGON EMPTY", "POLYGON EMPTY"},
		{"packed", string(pack(t, "POLYGON EMPTY")), "POLYGON EMPTY"},
		{"packed in parts", string(pack(t, "POLYGON", "", " EMPTY")), "POLYGON EMPTY"},
		{"a file of gzip", string(geojson), `{"type":"Feature","properties":{},"geometry":{"type":"Polygon","coordinates":[[[10,45],[11,45],[11,46],[10,46],[10,45]]]}}`},
	} {
		in, err := Reader(t.Context(), strings.NewReader(test.in), 0)
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}

		if got, err := io.ReadAll(in); err != nil || strings.TrimSpace(string(got)) != test.want {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func TestReaderRefuses(t *testing.T) {
	packed := pack(t, strings.Repeat("POLYGON EMPTY ", 1000))
	damaged := bytes.Clone(packed)
	damaged[len(damaged)-5] ^= 1 // in the checksum

	for _, test := range []struct {
		name string
		in   []byte
		most int64
		want string
	}{
		{"damaged", damaged, 0, "is a damaged gzip file: gzip: invalid checksum"},
		{"half", packed[:len(packed)/2], 0, "ends too early"},
		{"half a header", packed[:5], 0, "ends too early"},
		{"nonsense", append(bytes.Clone(packed[:10]), "nonsense at length"...), 0, "damaged"},
		{"more after it", append(bytes.Clone(packed), "more"...), 0, "gzip file that ends too early"},
		{"too large", packed, 100, "has more than 100 bytes"},
		{"too large, plain", []byte(strings.Repeat("x", 101)), 100, "has more than 100 bytes"},
	} {
		in, err := Reader(t.Context(), bytes.NewReader(test.in), test.most)
		if err == nil {
			_, err = io.Copy(io.Discard, in)
		}

		if !errors.As(err, new(*geomgen.ParamError)) || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// endless returns packed zeros forever.
type endless struct{ member, rest []byte }

func newEndless(t testing.TB) *endless {
	return &endless{member: pack(t, strings.Repeat("\x00", 1<<20))}
}

func (e *endless) Read(b []byte) (int, error) {
	if len(e.rest) == 0 {
		e.rest = e.member
	}

	n := copy(b, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

func TestBomb(t *testing.T) {
	in, err := Reader(t.Context(), newEndless(t), 1<<40)
	if err != nil {
		t.Fatal(err)
	}

	n, err := io.Copy(io.Discard, in)
	if err == nil || !strings.Contains(err.Error(), "as no file of features does") || n > FreeBytes+1<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A file that compresses plausibly is read, however large it is.
func TestCheck(t *testing.T) {
	for _, test := range []struct {
		packed, unpacked int64
		good             bool
	}{
		{1, FreeBytes, true}, {1, FreeBytes + MaxRatio, false}, {10 << 30, 1 << 40, true}, {1 << 30, 1 << 40, false}, {0, 0, true},
	} {
		if err := Check(test.packed, test.unpacked); (err == nil) != test.good {
			t.Errorf("%d bytes become %d: %v", test.packed, test.unpacked, err)
		}
	}
}

func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")

	in, err := Reader(ctx, newEndless(t), 1<<40)
	if err != nil {
		t.Fatal(err)
	}

	cancel(why)
	if _, err := io.Copy(io.Discard, in); !errors.Is(err, why) {
		t.Error(err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("POLYGON EMPTY"))
	f.Add(pack(f, "POLYGON EMPTY"))
	f.Add(pack(f, "POLYGON", "EMPTY")[:40])

	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Reader(t.Context(), bytes.NewReader(b), 1<<20)
		if err == nil {
			_, err = io.Copy(io.Discard, in)
		}

		if err != nil && !errors.As(err, new(*geomgen.ParamError)) {
			t.Fatal(err)
		}
	})
}
