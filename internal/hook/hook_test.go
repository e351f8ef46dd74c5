package hook

import (
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/loadgrid/loadgrid/internal/pg"
	"github.com/loadgrid/loadgrid/internal/sqltext"
)

// The server counts characters of the text that it received, which has the table's name.
func TestPositionInStatement(t *testing.T) {
	const name = `"s"."lönger"`
	text := "é {{table}} x {{table}} y"
	sent := []rune(strings.ReplaceAll(text, sqltext.TablePlaceholder, name))
	for char, want := range map[int]int{0: 0, 1: 2, 2: 3, 3: 3, 2 + 12: 3 + 9, 2 + 12 + 1: 3 + 9 + 1, len(sent) - 1: len(text) - 1, len(sent): len(text)} {
		err := &pgconn.PgError{Position: int32(char) + 1}
		if got := positionIn(text, name, err); got != want {
			t.Errorf("character %d (%q) is at byte %d, want %d", char, string(sent[min(char, len(sent)-1)]), got, want)
		}
	}
	if got := positionIn(text, name, errors.New("x")); got != 0 {
		t.Errorf("an error without a position is at %d", got)
	}
}

// If a time-out that the hook has set ends the hook itself, it will do so again. If it ends the
// statements after the hook, that is due to a busy machine.
func TestErrorsThatTimeMends(t *testing.T) {
	for code, want := range map[string]struct{ hook, reset bool }{
		"57014": {false, true}, // statement_timeout
		"25P03": {false, true}, // idle_in_transaction_session_timeout
		"25P04": {false, true}, // transaction_timeout
		"55P03": {true, true},  // lock_timeout
		"42501": {false, false},
		"XX000": {false, true}, // from a node of a cluster
	} {
		err := &pgconn.PgError{Code: code, File: "remote_commands.c"}
		if got := pg.IsTransient(pg.Wrap(&Error{Err: err}, "publishing")); got != want.hook {
			t.Errorf("%s in the hook: transient %v, want %v", code, got, want.hook)
		}
		if got := pg.IsTransient(pg.Wrap(&resetError{err}, "publishing")); got != want.reset {
			t.Errorf("%s after the hook: transient %v, want %v", code, got, want.reset)
		}
	}
}
