package main

import (
	"strings"
	"testing"
)

// events has four packages: one passes with a skipped test, one fails, one does not build, and one ended in the
// middle of a test.
const events = `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"    a_test.go:3: not of interest\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestLeftOut/one","Output":"    a_test.go:9: no disk to fill\n"}
{"Action":"skip","Package":"a","Test":"TestLeftOut/one"}
{"Action":"output","Package":"a","Test":"TestLeftOut/two","Output":"    a_test.go:9: no disk to fill\n"}
{"Action":"output","Package":"a","Test":"TestLeftOut/two","Output":"--- SKIP: TestLeftOut/two (0.00s)\n"}
{"Action":"skip","Package":"a","Test":"TestLeftOut/two"}
{"Action":"skip","Package":"a","Test":"TestMute"}
{"Action":"output","Package":"a","Output":"PASS\n"}
{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}
{"Action":"pass","Package":"a"}
{"Action":"output","Package":"b","Test":"TestBad","Output":"=== RUN   TestBad\n"}
{"Action":"output","Package":"b","Test":"TestBad","Output":"    b_test.go:7: 1 is not 2\n"}
{"Action":"output","Package":"b","Test":"TestBad","Output":"--- FAIL: TestBad (0.00s)\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
{"Action":"output","Package":"b","Output":"FAIL\tb\t0.1s\n"}
{"Action":"fail","Package":"b"}
{"ImportPath":"c","Action":"build-output","Output":"c.go:1: syntax error\n"}
{"ImportPath":"c","Action":"build-fail"}
{"Action":"output","Package":"c","Output":"FAIL\tc [build failed]\n"}
{"Action":"fail","Package":"c"}
{"Action":"output","Package":"d","Test":"TestStuck","Output":"panic: test timed out\n"}
{"Action":"output","Package":"d","Output":"FAIL\td\t60s\n"}
{"Action":"fail","Package":"d"}
no event
`

const wanted = `ok  	a	0.1s
    b_test.go:7: 1 is not 2
--- FAIL: TestBad (0.00s)
FAIL	b	0.1s
c.go:1: syntax error
FAIL	c [build failed]
--- has not ended: TestStuck
panic: test timed out
FAIL	d	60s
no event
1 tests and parts of tests have passed, 3 were skipped
skipped, 2 in a TestLeftOut: no disk to fill
skipped, 1 in a TestMute: it gives no reason
`

func TestReport(t *testing.T) {
	var out strings.Builder
	if err := report(strings.NewReader(events), &out); err != nil {
		t.Fatal(err)
	}
	if out.String() != wanted {
		t.Errorf("the report is\n%s\nwant\n%s", out.String(), wanted)
	}
}
