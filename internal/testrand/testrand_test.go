package testrand

import "testing"

func TestSeedFromTheEnvironment(t *testing.T) {
	t.Setenv(Variable, "")
	usual := New(t, 1).Uint64()

	if again := New(t, 1).Uint64(); again != usual {
		t.Errorf("the same seed gives %d, and then %d", usual, again)
	}

	t.Setenv(Variable, "42")
	given := New(t, 1).Uint64()

	if given == usual {
		t.Error("the variable changes nothing")
	}

	if other := New(t, 2).Uint64(); other != given {
		t.Errorf("the variable gives %d, and then %d", given, other)
	}
}
