package container

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Images of PostGIS.
const (
	// DefaultImage is the public image for containers.
	DefaultImage = "postgis/postgis:17-3.5"
	// LocalImage, if it exists, is used before anything is pulled.
	LocalImage = "loadgrid-postgis:local"
)

// Engine is the command line of a container engine.
type Engine struct {
	Name string // docker or podman, for people
	path string
}

// FindEngine returns the first engine that answers, or the reason why none does. lookPath finds
// programs, as exec.LookPath does.
func FindEngine(ctx context.Context, lookPath func(string) (string, error)) (Engine, error) {
	var reasons []string
	for _, name := range []string{"docker", "podman"} {
		path, err := lookPath(name)
		if err != nil {
			continue
		}

		e := Engine{Name: name, path: path}
		if _, err := e.run(ctx, engineTimeout, "info"); err != nil {
			reasons = append(reasons, fmt.Sprintf("%s does not answer (%v)", name, err))
			continue
		}

		return e, nil
	}

	if len(reasons) == 0 {
		return Engine{}, errors.New("no container engine (docker, podman) is installed")
	}

	return Engine{}, errors.New(strings.Join(reasons, "; "))
}

// run calls the engine and returns its output. The call has its own process group, so that Ctrl-C
// in the terminal does not interrupt it halfway.
func (e Engine) run(ctx context.Context, timeout time.Duration, args ...string) (string, error) {
	return e.runWith(ctx, timeout, nil, args...)
}

func (e Engine) runWith(ctx context.Context, timeout time.Duration, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()

	cmd := exec.CommandContext(ctx, e.path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	isolate(cmd) // see run

	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint

	err := cmd.Run()

	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("%s %s took longer than %v", e.Name, args[0], timeout)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("%s %s: %w: %s", e.Name, args[0], err, lastLine(complaint.String()))
	}

	return strings.TrimSpace(out.String()), nil
}

// HasImage tells whether an image is on this machine.
func (e Engine) HasImage(ctx context.Context, image string) bool {
	_, err := e.run(ctx, engineTimeout, "image", "inspect", image)
	return err == nil
}

// Obtain returns an image that is on this machine: the wanted one; the local one if the caller
// wants none by name; or the wanted one after it has pulled it. It writes to out what it does.
func (e Engine) Obtain(ctx context.Context, wanted string, out io.Writer) (string, error) {
	candidates := []string{wanted}
	if wanted == "" {
		wanted = DefaultImage
		candidates = []string{DefaultImage, LocalImage}
	}

	for _, image := range candidates {
		if e.HasImage(ctx, image) {
			return image, nil
		}
	}

	fmt.Fprintf(out, "%s answers: pulling the image %s (at most %v) ...\n", e.Name, wanted, pullTimeout)
	if _, err := e.run(ctx, pullTimeout, "pull", wanted); err != nil {
		return "", fmt.Errorf("%s answers, but the image %s cannot be obtained: %w", e.Name, wanted, err)
	}

	return wanted, nil
}

// lastLine returns the last line of a text, where programs usually report their error.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
