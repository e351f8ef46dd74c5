package observe

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// An index build may take hours before its connection breaks. That is the first failure, however long the try
// worked.
func TestRetryAfterALongTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := New(nil, nil, nil)
		tries := 0

		err := o.Retry(t.Context(), RetryFor, "index", func() error {
			if tries++; tries == 1 {
				time.Sleep(3 * time.Hour)
				return io.ErrUnexpectedEOF
			}

			return nil
		})
		if n, last := o.Retries(); err != nil || tries != 2 || n != 1 || last[0].Doing != "index" {
			t.Errorf("%d tries, %d retries %v: %v", tries, n, last, err)
		}
	})
}

func TestRetryEnds(t *testing.T) {
	lasting := errors.New("no such table")

	for name, test := range map[string]struct {
		err   error
		limit time.Duration
		least int // tries
		most  int
	}{
		"an error that is not transient": {lasting, RetryFor, 1, 1},
		"after the limit":                {io.ErrUnexpectedEOF, RetryFor, 10, 200},
		"after a limit of half an hour":  {io.ErrUnexpectedEOF, 30 * time.Minute, 150, 2000},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries, began := 0, time.Now()

				err := New(nil, nil, nil).Retry(t.Context(), test.limit, "copy", func() error {
					tries++
					return test.err
				})
				if !errors.Is(err, test.err) || tries < test.least || tries > test.most {
					t.Errorf("%d tries: %v", tries, err)
				}

				if took := time.Since(began); test.most > 1 && (took < test.limit || took > test.limit+time.Minute) {
					t.Errorf("it ended after %s", took)
				}
			})
		})
	}
}

func TestRetryEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()

		err := New(nil, nil, nil).Retry(ctx, time.Hour, "copy", func() error { return io.ErrUnexpectedEOF })
		if err == nil || ctx.Err() == nil {
			t.Errorf("it returned %v", err)
		}
	})
}
