package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"maps"
	mathrand "math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/modules/postgres"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Name of the server's superuser and database.
const databaseName = "loadgrid"

// containerSource starts containers of an image.
type containerSource struct{ image string }

// containerInstance is a server in a container.
type containerInstance struct {
	container *postgres.PostgresContainer
	url       string
}

func (s containerSource) start(ctx context.Context, r *reaper, o serverOptions) (instance, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}

	command := []string{"postgres"}
	for _, name := range slices.Sorted(maps.Keys(o.settings)) {
		command = append(command, "-c", name+"="+o.settings[name])
	}

	c, err := postgres.Run(ctx, s.image,
		postgres.WithDatabase(databaseName), postgres.WithUsername(databaseName), postgres.WithPassword(rand.Text()),
		testcontainers.WithEnv(map[string]string{"POSTGRES_INITDB_ARGS": "--no-sync"}),
		testcontainers.WithLabels(map[string]string{reaperLabel: r.id}),
		testcontainers.WithCmd(command...),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			// 64 MB, the engine's default, is too little for parallel workers.
			host.ShmSize = 256 << 20
			if o.files != "" {
				host.Binds = []string{o.files + ":" + o.files + ":ro"}
			}
			if o.volume > 0 {
				host.Tmpfs = map[string]string{VolumePath: fmt.Sprintf("size=%dm,mode=1777", o.volume)}
			}

			host.PortBindings = network.PortMap{network.MustParsePort("5432/tcp"): {
				{HostIP: publishedAddress(), HostPort: strconv.Itoa(port)},
			}}
		}),
		// At its first start, the server answers only on a socket, while it is being filled.
		testcontainers.WithWaitStrategyAndDeadline(startTimeout,
			wait.ForLog("database system is ready to accept connections").WithOccurrence(2).WithStartupTimeout(startTimeout)),
	)

	m := &containerInstance{container: c}
	if err == nil {
		m.url, err = c.ConnectionString(ctx, "sslmode=disable")
	}
	if err == nil {
		err = waitUntilReady(ctx, m.url)
	}

	if err != nil {
		err = fmt.Errorf("start a container of %s: %w\n(if no registry can be reached: integration/image/build.sh makes an image, "+
			"%s selects an image, and %s=local needs none)", s.image, err, imageVariable, serverVariable)
		if c == nil {
			return nil, err
		}
		return nil, errors.Join(err, m.remove(context.WithoutCancel(ctx)))
	}

	return m, nil
}

// freePort returns a TCP port that nobody listens on. It is below the range from which kernels and engines choose
// ports, so it is still free when a stopped container starts again.
func freePort() (int, error) {
	var err error
	for range 20 {
		port := 20000 + mathrand.IntN(12000)
		var listener net.Listener
		if listener, err = net.Listen("tcp4", net.JoinHostPort("", strconv.Itoa(port))); err == nil {
			return port, listener.Close()
		}
	}
	return 0, fmt.Errorf("find a free TCP port: %w", err)
}

// publishedAddress returns the address of the container's port: only this machine if the engine is here, and
// otherwise the engine's.
func publishedAddress() netip.Addr {
	if _, err := os.Stat("/.dockerenv"); err == nil && os.Getenv("TESTCONTAINERS_HOST_OVERRIDE") != "127.0.0.1" {
		return netip.Addr{} // the engine is outside: its gateway address
	}
	if host := os.Getenv("DOCKER_HOST"); host == "" || strings.HasPrefix(host, "unix:") {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.Addr{}
}

func (m *containerInstance) dsn() string { return m.url }

// peer returns its address in the engine's network. The published one belongs to this machine.
func (m *containerInstance) peer(ctx context.Context) (host string, port int, err error) {
	host, err = m.container.ContainerIP(ctx)
	return host, 5432, err
}

func (m *containerInstance) running(ctx context.Context) bool {
	state, err := m.container.State(ctx)
	return err == nil && state.Running
}

func (m *containerInstance) stop(ctx context.Context) error {
	timeout := stopTimeout
	return m.container.Stop(ctx, &timeout)
}

func (m *containerInstance) start(ctx context.Context) error { return m.container.Start(ctx) }

func (m *containerInstance) kill(ctx context.Context) error {
	return m.engine(ctx, func(c *testcontainers.DockerClient, id string) error {
		if _, err := c.ContainerKill(ctx, id, client.ContainerKillOptions{}); err != nil {
			return err
		}

		// The engine answers when the signal is sent, not when everything has ended.
		gone := c.ContainerWait(ctx, id, client.ContainerWaitOptions{Condition: container.WaitConditionNotRunning})
		select {
		case <-gone.Result:
			return nil
		case err := <-gone.Error:
			return err
		}
	})
}

func (m *containerInstance) pause(ctx context.Context) error {
	return m.engine(ctx, func(c *testcontainers.DockerClient, id string) error {
		_, err := c.ContainerPause(ctx, id, client.ContainerPauseOptions{})
		return err
	})
}

func (m *containerInstance) resume(ctx context.Context) error {
	return m.engine(ctx, func(c *testcontainers.DockerClient, id string) error {
		_, err := c.ContainerUnpause(ctx, id, client.ContainerUnpauseOptions{})
		return err
	})
}

// engine calls the engine for what the library does not support.
func (m *containerInstance) engine(ctx context.Context, call func(*testcontainers.DockerClient, string) error) error {
	c, err := testcontainers.NewDockerClientWithOpts(ctx)
	if err != nil {
		return fmt.Errorf("reach the container engine: %w", err)
	}
	defer c.Close()
	return call(c, m.container.GetContainerID())
}

func (m *containerInstance) log(ctx context.Context) string {
	logs, err := m.container.Logs(ctx)
	if err != nil {
		return err.Error()
	}
	defer logs.Close()
	text, err := io.ReadAll(logs)
	if err != nil {
		return err.Error()
	}

	return string(text[max(0, len(text)-4000):])
}

func (m *containerInstance) remove(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, stopTimeout)
	defer cancel()
	// A paused container cannot be stopped. If it is not paused, this fails.
	_ = m.resume(ctx)
	return testcontainers.TerminateContainer(m.container,
		testcontainers.StopContext(ctx), testcontainers.StopTimeout(10*time.Second))
}
