package main

import (
	"testing"
	"time"
)

func TestCountSizeSpan(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 7: "7", -7: "-7", 999: "999", 1000: "1,000", -1000: "-1,000", -100: "-100",
		29_900_000: "29,900,000", 1 << 62: "4,611,686,018,427,387,904", -1 << 63: "-9,223,372,036,854,775,808"} {
		if got := formatCount(n); got != want {
			t.Errorf("count(%d) is %s, should be %s", n, got, want)
		}
	}

	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 1550: "1.6 kB", 999_949: "999.9 kB", 999_999: "1.0 MB",
		1_000_000: "1.0 MB", 5_043_200_000: "5.0 GB", 1 << 62: "4.6 EB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("size(%d) is %s, should be %s", n, got, want)
		}
	}

	for d, want := range map[time.Duration]string{0: "0.0 s", 40 * time.Millisecond: "0.0 s", 1500 * time.Millisecond: "1.5 s",
		9940 * time.Millisecond: "9.9 s", 9999 * time.Millisecond: "10s", 10 * time.Second: "10s", 72_400 * time.Millisecond: "1m12s", 3 * time.Hour: "3h0m0s"} {
		if got := formatDuration(d); got != want {
			t.Errorf("span(%v) is %s, should be %s", d, got, want)
		}
	}
}
