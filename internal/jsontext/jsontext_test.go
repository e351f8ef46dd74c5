package jsontext

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
)

// readAll reads a JSON text to its end, and tells whether it is one.
func readAll(text []byte) bool {
	j := NewReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		if _, err := j.Next(false); err != nil {
			return errors.Is(err, io.EOF) && j.state == wantNothing
		}
	}
}

func FuzzJSONIsThatOfEncodingJSON(f *testing.F) {
	for _, text := range []string{
		`{"a":[1,-0.5e+3,0,null,true,false,"\u00e9\"\\",{}],"b":{"c":[[],[{}]]}}`, "1", `"x"`, "01", "1.", "-", "[1,]", `{"a":1,}`,
		`{"a" 1}`, "[1 2]", "nul", `"\x"`, `"\u12g4"`, "\"\n\"", "[1}", "", " ", "{}{}", "1e", "-0", "[,1]", "{,}",
	} {
		f.Add([]byte(text))
	}

	f.Fuzz(func(t *testing.T, text []byte) {
		if got, want := readAll(text), json.Valid(text); got != want {
			t.Errorf("%q is read: %v, want %v", text, got, want)
		}

		var decoded, want any
		j := NewReader(bufio.NewReader(bytes.NewReader(text)))
		err := j.Decode(&decoded)
		if !json.Valid(text) {
			return
		}

		a, _ := json.Marshal(decoded)
		if wantErr := json.Unmarshal(text, &want); (err == nil) != (wantErr == nil) {
			t.Errorf("%q: got %v, want %v", text, err, wantErr)
		}
		if b, _ := json.Marshal(want); !bytes.Equal(a, b) {
			t.Errorf("%q is decoded as %s, want %s", text, a, b)
		}
	})
}

// Tokens are those of json.Decoder.
func TestJSONTokens(t *testing.T) {
	text := `{"a":[1,-0.5e+3,0,null,true,false,"\u00e9\"\\ é",{}],"b\n":{"c":[[],[{}]]}}`
	j, want := NewReader(bufio.NewReader(strings.NewReader(text))), json.NewDecoder(strings.NewReader(text))
	for {
		got, err := j.Token()
		token, wantErr := want.Token()
		if got != token || err != wantErr {
			t.Fatalf("got %v, %v; want %v, %v", got, err, token, wantErr)
		}
		if err != nil {
			return
		}
	}
}
