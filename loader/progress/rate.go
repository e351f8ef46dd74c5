package progress

import "time"

// Rate returns how many rows a second this attempt has done in the stage so far, and
// how long the rest of the stage takes at that rate. Rows that an earlier attempt had
// committed do not count for the rate. Both are 0 as long as no row is done. remaining is also
// 0 where nobody can tell: the total is not known, all rows are done and the stage is not, or
// the server has reported nothing for longer than the rest should have taken.
func (s Snapshot) Rate() (perSecond float64, remaining time.Duration) {
	if s.Done <= s.Skipped || s.Elapsed <= 0 {
		return 0, 0
	}

	took, waited := s.Elapsed, time.Duration(0)
	if s.Moved > 0 && s.Stage != StageLoad { // what the server reports, in steps
		took, waited = s.Moved, s.Elapsed-s.Moved
	}

	perSecond = float64(s.Done-s.Skipped) / took.Seconds()
	if s.Total > s.Done {
		remaining = max(0, time.Duration(float64(s.Total-s.Done)/perSecond*float64(time.Second))-waited)
	}

	return perSecond, remaining
}
