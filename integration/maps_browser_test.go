//go:build maps

package integration

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browserTimeout is how long the browser may take for one answer.
const browserTimeout = time.Minute

// browser is a headless Chromium with one page. The test talks with it through two pipes, in the DevTools protocol:
// https://chromedevtools.github.io/devtools-protocol/
type browser struct {
	t        *testing.T
	commands *os.File
	answers  *os.File
	reader   *bufio.Reader
	last     int    // id of the last command
	session  string // of the page
	loaded   bool   // the page, since the last navigation
	requests []string
	troubles []string // exceptions and errors in the console
}

// message is an answer to a command, or an event.
type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// openBrowser starts the browser. It ends with the test.
func openBrowser(t *testing.T, width, height int) *browser {
	t.Helper()
	b := &browser{t: t}
	b.start()

	var target struct{ TargetID string }
	b.call("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.call("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID

	for _, domain := range []string{"Page", "Network", "Runtime", "Log"} {
		b.call(domain+".enable", nil, nil)
	}
	b.call("Emulation.setDeviceMetricsOverride",
		map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}, nil)

	return b
}

// browserPrograms are the names of Chromium's programs, the smallest first.
var browserPrograms = []string{"chromium-headless-shell", "chromium", "google-chrome"}

func (b *browser) start() {
	b.t.Helper()
	var program string
	for _, name := range browserPrograms {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		b.t.Fatalf("there is none of %v: run make test-maps, which installs one", browserPrograms)
	}

	// The browser may look up no name and reach no machine but this one.
	args := []string{"--headless", "--remote-debugging-pipe", "--disable-gpu", "--user-data-dir=" + b.t.TempDir(),
		"--no-first-run", "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"}
	if os.Getuid() == 0 { // the sandbox refuses root
		args = append(args, "--no-sandbox")
	}

	cmd := exec.Command(program, args...)
	read, commands := b.pipe()
	answers, write := b.pipe()
	cmd.ExtraFiles = []*os.File{read, write} // 3 and 4 in the browser
	var stderr output
	cmd.Stderr = &stderr
	cmd.WaitDelay = 10 * time.Second // children may keep stderr open
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	_, _ = read.Close(), write.Close()

	b.commands, b.answers, b.reader = commands, answers, bufio.NewReader(answers)
	b.t.Cleanup(func() {
		_ = commands.Close() // ends the browser
		done := make(chan struct{})
		go func() { _ = cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(browserTimeout):
			_ = cmd.Process.Kill()
			<-done
		}
		_ = answers.Close()
		if b.t.Failed() {
			b.t.Logf("the browser wrote:\n%s", stderr.String())
		}
	})
}

func (b *browser) pipe() (read, write *os.File) {
	b.t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		b.t.Fatal(err)
	}
	return read, write
}

// call sends a command and waits for its answer.
func (b *browser) call(method string, params, result any) {
	b.t.Helper()
	b.last++
	command := map[string]any{"id": b.last, "method": method}
	if params != nil {
		command["params"] = params
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}

	text, err := json.Marshal(command)
	if err == nil {
		_, err = b.commands.Write(append(text, 0))
	}
	if err != nil {
		b.t.Fatalf("sending %s to the browser: %v", method, err)
	}

	for {
		m := b.receive()
		if m.ID != b.last {
			continue
		}
		if m.Error != nil {
			b.t.Fatalf("the browser refuses %s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				b.t.Fatalf("the browser's answer to %s: %v\n%s", method, err, m.Result)
			}
		}
		return
	}
}

// receive reads one message, and keeps what it says of the page.
func (b *browser) receive() (m message) {
	b.t.Helper()
	if err := b.answers.SetReadDeadline(time.Now().Add(browserTimeout)); err != nil {
		b.t.Fatal(err)
	}
	text, err := b.reader.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("reading from the browser: %v", err)
	}
	if err := json.Unmarshal(text[:len(text)-1], &m); err != nil {
		b.t.Fatalf("the browser writes %s: %v", text, err)
	}

	switch m.Method {
	case "Page.loadEventFired":
		b.loaded = true
	case "Network.requestWillBeSent":
		var p struct{ Request struct{ URL string } }
		_ = json.Unmarshal(m.Params, &p)
		b.requests = append(b.requests, p.Request.URL)
	case "Runtime.exceptionThrown":
		b.troubles = append(b.troubles, string(m.Params))
	case "Log.entryAdded":
		if strings.Contains(string(m.Params), `"level":"error"`) {
			b.troubles = append(b.troubles, string(m.Params))
		}
	}
	return m
}

// open opens a page and waits until it is loaded. It must not be another place in the page that is open.
func (b *browser) open(url string) {
	b.t.Helper()
	b.loaded = false
	b.call("Page.navigate", map[string]any{"url": url}, nil)
	for !b.loaded {
		b.receive()
	}
}

// evaluate computes an expression in the page, waits if it is a promise, and stores its value.
func (b *browser) evaluate(expression string, value any) {
	b.t.Helper()
	var answer struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails json.RawMessage
	}
	b.call("Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true}, &answer)
	if answer.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, answer.ExceptionDetails)
	}
	if value == nil {
		return
	}
	if err := json.Unmarshal(answer.Result.Value, value); err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, answer.Result.Value)
	}
}

// mouse moves the mouse to a place in the page, or clicks there.
func (b *browser) mouse(kind string, x, y float64) {
	b.t.Helper()
	params := map[string]any{"type": kind, "x": x, "y": y}
	if kind != "mouseMoved" {
		params["button"], params["clickCount"] = "left", 1
	}
	b.call("Input.dispatchMouseEvent", params, nil)
}

// screenshot returns a picture of the page as PNG.
func (b *browser) screenshot() []byte {
	b.t.Helper()
	var shot struct{ Data string }
	b.call("Page.captureScreenshot", map[string]any{"format": "png"}, &shot)
	png, err := base64.StdEncoding.DecodeString(shot.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	return png
}

// checkQuiet fails if the page had an error, or asked anything but the test's servers.
func (b *browser) checkQuiet(servers ...string) {
	b.t.Helper()
	for _, trouble := range b.troubles {
		b.t.Errorf("the page has an error: %s", trouble)
	}
	if len(b.requests) == 0 {
		b.t.Error("the browser reports no request")
	}

	for _, request := range b.requests {
		allowed := strings.HasPrefix(request, "data:") || request == "about:blank"
		for _, server := range servers {
			allowed = allowed || strings.HasPrefix(request, server)
		}
		if !allowed {
			b.t.Errorf("the page asks for %s, which is not one of %v", request, servers)
		}
	}
}

// quote writes a text as JavaScript does.
func quote(text string) string {
	quoted, err := json.Marshal(text)
	if err != nil {
		panic(fmt.Sprintf("%q as JSON: %v", text, err)) // any text is JSON
	}
	return string(quoted)
}
