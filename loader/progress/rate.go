package progress

import "time"

// Rate returns how many rows a second this attempt has done in the stage so far, and
// how long the rest of the stage takes at that rate. Rows that an earlier attempt had
// committed do not count for the rate. Both are 0 as long as no row is done, and
// remaining also where the total is not known.
func (s Snapshot) Rate() (perSecond float64, remaining time.Duration) {
	seconds := s.Elapsed.Seconds()
	if s.Done <= s.Skipped || seconds <= 0 {
		return 0, 0
	}

	perSecond = float64(s.Done-s.Skipped) / seconds
	if s.Total > s.Done {
		remaining = time.Duration(float64(s.Total-s.Done) / perSecond * float64(time.Second))
	}

	return perSecond, remaining
}
