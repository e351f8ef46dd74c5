package tablelock

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// A run that must not wait for another run waits only for a killed one.
func TestPause(t *testing.T) {
	self := thisClient()
	if self.space == 0 {
		t.Skip("this system does not show whether a process exists")
	}

	alive := holder{pid: 1, moved: "a", client: self}
	// A process has only one start time, so this ID now belongs to another process.
	gone := holder{pid: 1, moved: "a", client: client{self.space, self.process ^ 1<<processBits}}
	unknown := holder{pid: 1, moved: "a"}
	unknownMoved := holder{pid: 1, moved: "b"}
	another := holder{pid: 2, moved: "b"}

	for name, test := range map[string]struct {
		limit   time.Duration
		holders []holder // in the order in which they are seen, the first one at once
		waited  time.Duration
		pause   time.Duration // after the last holder
		log     string
	}{
		"waits for nobody":                     {NoWait, []holder{alive}, 0, 0, ""},
		"not even for a process that is gone":  {NoWait, []holder{gone}, 0, 0, ""},
		"nor for one that may be gone":         {NoWait, []holder{unknown}, 0, 0, ""},
		"alive":                                {0, []holder{alive}, 0, 0, ""},
		"alive, within the limit":              {time.Hour, []holder{alive}, 0, pollInterval, "waiting for another run"},
		"alive, nearly":                        {time.Hour, []holder{alive}, time.Hour - 1, 1, "waiting for another run"},
		"alive, beyond the limit":              {time.Hour, []holder{alive}, time.Hour, 0, ""},
		"gone":                                 {0, []holder{gone}, 0, graceInterval, "killed"},
		"gone, but the backend is still there": {0, []holder{gone, gone}, graceForGone, 0, "killed"},
		"gone, with a short limit":             {1, []holder{gone, gone}, 2, graceInterval, "killed"},
		"unknown":                              {0, []holder{unknown}, 0, graceInterval, "may have been killed"},
		"unknown, for long":                    {0, []holder{unknown, unknown}, graceForUnknown, 0, "may have been killed"},
		"unknown, busy":                        {0, []holder{unknown, unknownMoved}, 1, 0, "may have been killed"},
		"unknown, then another":                {0, []holder{unknown, another}, 1, graceInterval, "may have been killed"},
		"unknown, within the limit":            {time.Hour, []holder{unknown}, graceForUnknown, pollInterval, "waiting for another run"},
		"gone, then a live one":                {0, []holder{gone, alive}, 1, 0, "killed"},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			w := wait{limit: test.limit, log: slog.New(slog.NewTextHandler(&log, nil))}

			for _, h := range test.holders[:len(test.holders)-1] {
				w.pause(h, 0)
			}

			if got := w.pause(test.holders[len(test.holders)-1], test.waited); got != test.pause {
				t.Errorf("it looks again after %s, want %s", got, test.pause)
			}

			if got := log.String(); !strings.Contains(got, test.log) || strings.Count(got, "\n") > 1 || test.log == "" && got != "" {
				t.Errorf("it logged %q, want %q once", got, test.log)
			}
		})
	}
}
