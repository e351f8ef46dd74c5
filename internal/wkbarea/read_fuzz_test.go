package wkbarea

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/loadgrid/loadgrid/geomgen"
	"github.com/loadgrid/loadgrid/internal/gather"
)

// For any input, nothing panics, and errors are about the area. Reading a single geometry gives the
// same result as package gather with the bytes in memory, and so do its digits.
func FuzzRead(f *testing.F) {
	square := geomgen.AppendPolygon(nil, []([]geomgen.Point){{{X: 0, Y: 0}, {X: 1, Y: 0}, {X: 1, Y: 1}, {X: 0, Y: 0}}})
	for _, seed := range [][]byte{
		square, append(bytes.Clone(square), square...), append(geomgen.AppendMultiPolygonHeader(nil, 4326, 1), square...), square[:20],
		append([]byte{1, 0xEB, 3, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0}, make([]byte, 4*24)...), []byte(strings.Repeat("\x01\x07\x00\x00\x00\x01\x00\x00\x00", 50)),
		{0, 0, 0, 0, 3, 0, 0, 0, 0}, {0, 0xE0, 0, 0, 3, 0, 0, 0, 9}, {1, 6, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1, 3, 0, 0, 0, 0, 0, 0, 0}, {1, 10, 0, 0, 0},
	} {
		f.Add(seed)
	}

	f.Fuzz(func(t *testing.T, in []byte) {
		var binary, digits, memory gather.Collector
		_, err := Read(bufio.NewReaderSize(bytes.NewReader(in), 1<<16), &binary)
		checkError(t, err)
		polygons, _ := binary.Polygons()

		_, hexErr := ReadHex(bufio.NewReader(strings.NewReader(hex.EncodeToString(in))), &digits)
		checkError(t, hexErr)
		fromDigits, _ := digits.Polygons()

		srid, memoryErr := memory.WKB(in)
		checkError(t, memoryErr)
		fromMemory, _ := memory.Polygons()

		// Several geometries need one line each, and bytes in memory may have more after the
		// geometry.
		if err == nil && hexErr == nil && (!reflect.DeepEqual(polygons, fromDigits) || memoryErr != nil && len(in) > 0 || len(in) > 0 && !reflect.DeepEqual(polygons, fromMemory)) {
			t.Fatalf("%v, %v of digits, %v of memory in SRID %d: %v", polygons, fromDigits, fromMemory, srid, memoryErr)
		}

		_, err = ReadHex(bufio.NewReader(bytes.NewReader(in)), &gather.Collector{})
		checkError(t, err)
	})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	var param *geomgen.ParamError
	if err != nil && !errors.As(err, &param) {
		t.Fatal(err)
	}
}
