package progress

import "time"

// Rate returns the rows per second of this attempt in the stage so far, and how long the rest of the stage takes
// at that rate. Rows that an earlier attempt committed do not count. Both are 0 until a row is done. remaining is
// also 0 if it is unknown: the total is unknown, all rows are done but the stage is not, or the server has
// reported nothing for longer than the rest should take.
func (s Snapshot) Rate() (perSecond float64, remaining time.Duration) {
	if s.Done <= s.Skipped || s.Elapsed <= 0 {
		return 0, 0
	}

	took, waited := s.Elapsed, time.Duration(0)
	if s.Moved > 0 && s.Stage != StageLoad { // the server reports it in steps
		took, waited = s.Moved, s.Elapsed-s.Moved
	}

	perSecond = float64(s.Done-s.Skipped) / took.Seconds()
	if s.Total > s.Done {
		remaining = max(0, time.Duration(float64(s.Total-s.Done)/perSecond*float64(time.Second))-waited)
	}

	return perSecond, remaining
}
