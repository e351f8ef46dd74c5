package localpg

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Images of PostGIS.
const (
	// DefaultImage is the public image that a container is made of.
	DefaultImage = "postgis/postgis:17-3.5"
	// LocalImage is taken, where it is there, before anything is pulled.
	LocalImage = "loadgrid-postgis:local"
)

// How long an engine may take: to say that it is there, to fetch an image, to
// start or remove a container, and a container until it answers.
const (
	engineTimeout    = 10 * time.Second
	pullTimeout      = 5 * time.Minute
	runTimeout       = 60 * time.Second
	containerTimeout = 2 * time.Minute
)

// engine is the command line of a container engine.
type engine struct {
	name string // docker or podman, for people
	path string
}

// findEngine returns the first engine that answers, or why there is none.
func findEngine(ctx context.Context, lookPath func(string) (string, error)) (engine, error) {
	var reasons []string
	for _, name := range []string{"docker", "podman"} {
		path, err := lookPath(name)
		if err != nil {
			continue
		}

		e := engine{name: name, path: path}
		if _, err := e.run(ctx, engineTimeout, "info"); err != nil {
			reasons = append(reasons, fmt.Sprintf("%s does not answer (%v)", name, err))
			continue
		}
		return e, nil
	}

	if len(reasons) == 0 {
		return engine{}, errors.New("no container engine (docker, podman) is installed")
	}
	return engine{}, errors.New(strings.Join(reasons, "; "))
}

// run calls the engine and returns what it prints. It runs in a process group of
// its own: Ctrl-C in the terminal does not cut a call in two.
func (e engine) run(ctx context.Context, timeout time.Duration, args ...string) (string, error) {
	return e.runWith(ctx, timeout, nil, args...)
}

func (e engine) runWith(ctx context.Context, timeout time.Duration, env []string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, e.path, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.WaitDelay = time.Second
	ownGroup(cmd)
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint

	err := cmd.Run()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", fmt.Errorf("%s %s took longer than %v", e.name, args[0], timeout)
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil:
		return "", fmt.Errorf("%s %s: %w: %s", e.name, args[0], err, lastLine(complaint.String()))
	}

	return strings.TrimSpace(out.String()), nil
}

// obtain returns an image that is on this machine: the wanted one, the local
// one where none is wanted by name, or the wanted one after pulling it.
func (e engine) obtain(ctx context.Context, wanted string, out io.Writer) (string, error) {
	candidates := []string{wanted}
	if wanted == "" {
		wanted = DefaultImage
		candidates = []string{DefaultImage, LocalImage}
	}

	for _, image := range candidates {
		if _, err := e.run(ctx, engineTimeout, "image", "inspect", image); err == nil {
			return image, nil
		}
	}

	fmt.Fprintf(out, "%s answers: pulling the image %s (at most %v) ...\n", e.name, wanted, pullTimeout)
	if _, err := e.run(ctx, pullTimeout, "pull", wanted); err != nil {
		return "", fmt.Errorf("%s answers, but the image %s cannot be had: %w", e.name, wanted, err)
	}

	return wanted, nil
}

// container is a running PostGIS in a container.
type container struct {
	engine engine
	name   string
	dsn    string
}

// startContainer starts a container and waits until its database answers. After
// an error nothing of it is left.
func startContainer(ctx context.Context, e engine, image string) (*container, error) {
	c := &container{engine: e, name: "loadgrid-" + strings.ToLower(rand.Text()[:12])}
	if err := c.bringUp(ctx, image); err != nil {
		return nil, errors.Join(err, c.remove())
	}
	return c, nil
}

func (c *container) bringUp(ctx context.Context, image string) error {
	password := rand.Text()
	// The password goes through the environment, where no process list shows
	// it. Not ended by ctx: an engine whose caller has gone may still start the
	// container, after it was looked for in order to remove it.
	_, err := c.engine.runWith(context.WithoutCancel(ctx), runTimeout, []string{"POSTGRES_PASSWORD=" + password},
		"run", "--rm", "-d", "--name", c.name, "--label", "loadgrid=throwaway", "--shm-size", "256m",
		"-p", "127.0.0.1::5432", "-e", "POSTGRES_PASSWORD",
		"-e", "POSTGRES_USER="+databaseName, "-e", "POSTGRES_DB="+databaseName,
		image, "postgres", "-c", "fsync=off", "-c", "full_page_writes=off")
	if err != nil {
		return fmt.Errorf("start a container of %s: %w", image, err)
	}

	published, err := c.engine.run(ctx, engineTimeout, "port", c.name, "5432/tcp")
	if err != nil {
		return fmt.Errorf("ask for the port of the container of %s: %w; its log:\n%s", image, err, c.log())
	}

	address, _, _ := strings.Cut(published, "\n")
	u := url.URL{Scheme: "postgres", User: url.UserPassword(databaseName, password), Host: address,
		Path: "/" + databaseName, RawQuery: "sslmode=disable"}
	c.dsn = u.String()
	if err := c.waitUntilReady(ctx); err != nil {
		return fmt.Errorf("wait for the container of %s: %w; its log:\n%s", image, err, c.log())
	}

	return nil
}

// waitUntilReady waits until PostGIS answers over TCP. While it is initialised,
// the server in the image listens on its socket alone and restarts once.
func (c *container) waitUntilReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, containerTimeout, fmt.Errorf("no answer within %v", containerTimeout))
	defer cancel()
	for {
		err := execute(ctx, c.dsn, "create extension if not exists postgis")
		if err == nil {
			return nil
		}

		if ctx.Err() == nil {
			// With --rm a container that has ended is gone.
			if _, gone := c.engine.run(ctx, engineTimeout, "inspect", c.name); gone != nil && ctx.Err() == nil {
				return fmt.Errorf("it has ended: %w", err)
			}
		}

		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last try: %w)", context.Cause(ctx), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// log returns the end of what the container wrote, for an error's text.
func (c *container) log() string {
	ctx := context.Background() // the caller's may have ended
	out, err := c.engine.run(ctx, engineTimeout, "logs", "--tail", "20", c.name)
	if err != nil {
		return err.Error()
	}
	return out
}

// remove stops and removes the container with its volume.
func (c *container) remove() error {
	ctx := context.Background() // the caller's may have ended
	_, err := c.engine.run(ctx, runTimeout, "rm", "-f", "-v", c.name)
	if err == nil {
		return nil
	}
	if _, gone := c.engine.run(ctx, engineTimeout, "inspect", c.name); gone != nil {
		return nil // there is none
	}
	return fmt.Errorf("remove the container %s: %w", c.name, err)
}

// lastLine returns the last line of a text: where programs say what went wrong.
func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
