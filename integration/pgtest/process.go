package pgtest

import (
	"context"
	"os"
	"sync"
)

// tests is what the tests of this process share. It is a package variable because TestMain can pass nothing else
// to test functions.
var tests process

// process holds what is made once per test process, on first use.
type process struct {
	mu       sync.Mutex
	source   source
	reaper   *reaper
	shared   instance
	template template // on the shared server
	err      error    // why there is no source, reaper or shared server: every test reports it
}

// sharedVariable holds the shared server's URL for the workers of a fuzz test: they are separate processes, and
// use the server of the process that started them.
const sharedVariable = "LOADGRID_TEST_SHARED_DSN"

// sharedDSN returns the URL of the shared server. The first call starts it.
func (p *process) sharedDSN() (string, error) {
	if dsn := os.Getenv(sharedVariable); dsn != "" {
		return dsn, nil
	}

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared == nil && p.err == nil {
		if err := p.prepare(); err != nil {
			return "", err
		}

		// Nothing on it outlives the tests.
		p.shared, p.err = p.source.start(context.Background(), p.reaper, serverOptions{settings: map[string]string{
			"fsync": "off", "full_page_writes": "off", "max_connections": "200",
		}})
		if p.err == nil {
			p.err = os.Setenv(sharedVariable, p.shared.dsn())
		}
	}

	if p.err != nil {
		return "", p.err
	}
	return p.shared.dsn(), nil
}

// start starts a separate server, which belongs to the caller.
func (p *process) start(ctx context.Context, o serverOptions) (instance, error) {
	p.mu.Lock()
	err := p.prepare()
	p.mu.Unlock() // servers may start in parallel
	if err != nil {
		return nil, err
	}
	return p.source.start(ctx, p.reaper, o)
}

// prepare chooses the source of servers and starts the reaper, once.
func (p *process) prepare() error {
	if p.source != nil || p.err != nil {
		return p.err
	}

	source, err := chooseSource(context.Background())
	if err == nil {
		p.reaper, err = startReaper()
	}
	if err != nil {
		p.err = err
		return err
	}
	p.source = source

	return nil
}

// close removes the shared server and stops the reaper.
func (p *process) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shared != nil {
		if err := p.shared.remove(context.Background()); err != nil {
			return err // the reaper tries again when this process has ended
		}
	}

	if p.reaper != nil {
		return p.reaper.stop()
	}
	return nil
}
