package aoi

import (
	"strings"
	"testing"
	"time"
)

func TestSQLTimeoutBounds(t *testing.T) {
	for timeout, right := range map[time.Duration]bool{
		0: true, time.Millisecond: true, 24 * time.Hour: true, 24 * 24 * time.Hour: true,
		-1: false, time.Nanosecond: false, 999 * time.Microsecond: false, 25 * 24 * time.Hour: false, 1<<63 - 1: false,
	} {
		err := (&Area{SQL: "select 1", SQLTimeout: timeout}).CheckQueryTimeout()
		if right != (err == nil) || err != nil && !strings.HasPrefix(err.Error(), "aoi-sql-timeout") {
			t.Errorf("%v: %v", timeout, err)
		}
	}
}
