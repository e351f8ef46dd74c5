// Package container owns PostGIS in a container: finding an engine that answers (docker or podman),
// finding an image, and starting and removing a container.
package container

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Time limits for an engine to answer, to pull an image, and to start or remove a container, and
// for a container to answer.
const (
	engineTimeout    = 10 * time.Second
	pullTimeout      = 5 * time.Minute
	runTimeout       = 60 * time.Second
	containerTimeout = 2 * time.Minute
)

// Container is a running PostGIS in a container. The code that starts it must remove it.
type Container struct {
	DSN string // URL of its database with the password; keep it out of logs

	engine Engine
	name   string
}

// Start starts a container of an image, with a database and a superuser of that name. It calls
// ready with the DSN until ready returns no error. After an error, nothing of the container is
// left.
func (e Engine) Start(ctx context.Context, image, database string, ready func(ctx context.Context, dsn string) error) (*Container, error) {
	c := &Container{engine: e, name: "loadgrid-" + strings.ToLower(rand.Text()[:12])}
	if err := c.bringUp(ctx, image, database, ready); err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// String names the engine and the container, for people.
func (c *Container) String() string { return fmt.Sprintf("%s, name %s", c.engine.Name, c.name) }

// RemoveCommand returns the shell command that does what Remove does.
func (c *Container) RemoveCommand() string {
	return fmt.Sprintf("%s rm -f -v %s", c.engine.Name, c.name)
}

func (c *Container) bringUp(ctx context.Context, image, database string, ready func(context.Context, string) error) error {
	password := rand.Text()

	// The password goes through the environment, where no process list shows it. ctx does not end
	// this call: an engine whose caller is gone may still start the container after we looked for
	// it to remove it.
	_, err := c.engine.runWith(context.WithoutCancel(ctx), runTimeout, []string{"POSTGRES_PASSWORD=" + password},
		"run", "--rm", "-d", "--name", c.name, "--label", "loadgrid=throwaway", "--shm-size", "256m",
		"-p", "127.0.0.1::5432", "-e", "POSTGRES_PASSWORD",
		"-e", "POSTGRES_USER="+database, "-e", "POSTGRES_DB="+database,
		image, "postgres", "-c", "fsync=off", "-c", "full_page_writes=off")

	if err != nil {
		return fmt.Errorf("start a container of %s: %w", image, err)
	}

	published, err := c.engine.run(ctx, engineTimeout, "port", c.name, "5432/tcp")
	if err != nil {
		return fmt.Errorf("ask for the port of the container of %s: %w; its log:\n%s", image, err, c.log())
	}

	address, _, _ := strings.Cut(published, "\n")
	u := url.URL{Scheme: "postgres", User: url.UserPassword(database, password), Host: address,
		Path: "/" + database, RawQuery: "sslmode=disable"}
	c.DSN = u.String()

	if err := c.waitUntil(ctx, ready); err != nil {
		return fmt.Errorf("wait for the container of %s: %w; its log:\n%s", image, err, c.log())
	}

	return nil
}

// waitUntil waits until the server is ready over TCP. During initialisation, the server in the
// image listens only on its socket, and it restarts once.
func (c *Container) waitUntil(ctx context.Context, ready func(context.Context, string) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, containerTimeout, fmt.Errorf("no answer within %v", containerTimeout))
	defer cancel()

	for {
		err := ready(ctx, c.DSN)
		if err == nil {
			return nil
		}

		if ctx.Err() == nil {
			// With --rm, a container that has ended no longer exists.
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

// log returns the end of the container's output, for error messages.
func (c *Container) log() string {
	ctx := context.Background() // the caller's may have ended
	out, err := c.engine.run(ctx, engineTimeout, "logs", "--tail", "20", c.name)
	if err != nil {
		return err.Error()
	}

	return out
}

// Remove stops and removes the container with its volume.
func (c *Container) Remove() error {
	ctx := context.Background() // the caller's may have ended
	_, err := c.engine.run(ctx, runTimeout, "rm", "-f", "-v", c.name)
	if err == nil {
		return nil
	}

	if _, gone := c.engine.run(ctx, engineTimeout, "inspect", c.name); gone != nil {
		return nil // it no longer exists
	}

	return fmt.Errorf("remove the container %s: %w", c.name, err)
}
