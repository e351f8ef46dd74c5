package feature

import (
	"slices"
	"testing"
	"time"
)

func TestColumnOf(t *testing.T) {
	day, at := Date{2024, time.February, 9}, time.Date(2024, 2, 9, 12, 0, 0, 5e8, time.UTC)

	for _, test := range []struct {
		values []Value
		want   Column
		as     []Value
	}{
		{nil, Text, nil},
		{[]Value{nil, nil}, Text, []Value{nil, nil}},
		{[]Value{true, nil, false}, Boolean, []Value{true, nil, false}},
		{[]Value{int64(1), nil, int64(-2)}, BigInt, []Value{int64(1), nil, int64(-2)}},
		{[]Value{int64(1), 0.5}, Double, []Value{1.0, 0.5}},
		{[]Value{0.5, nil, int64(1)}, Double, []Value{0.5, nil, 1.0}},
		{[]Value{day, nil}, Day, []Value{day, nil}},
		{[]Value{nil, at}, Timestamp, []Value{nil, at}},
		{[]Value{"a"}, Text, []Value{"a"}},
		{[]Value{day, at}, Text, []Value{"2024-02-09", "2024-02-09T12:00:00.5Z"}},
		{[]Value{true, int64(1)}, Text, []Value{"true", "1"}},
		{[]Value{int64(1), 1e21, nil, "x"}, Text, []Value{"1", "1e+21", nil, "x"}},
		{[]Value{0.1, false, int64(3)}, Text, []Value{"0.1", "false", "3"}},
	} {
		got := ColumnOf(slices.Values(test.values))
		var as []Value
		for _, v := range test.values {
			as = append(as, As(v, got))
		}

		if got != test.want || !slices.Equal(as, test.as) {
			t.Errorf("%v: got %s, %v", test.values, got, as)
		}
	}
}
