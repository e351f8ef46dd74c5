package tablelock

// client is a process that holds a lock, as other processes see it: the session that has a table's
// lock also has a shared advisory lock with these two numbers. If a client is killed in the middle
// of a statement, its backend outlives it for a while. With these numbers, another process on the
// same machine can tell that the client is gone.
type client struct {
	space   uint32 // the machine's boot and its space of process IDs; 0: unknown
	process uint32 // the process ID, and a part of its start time
}

// clientState is the state of the process that holds a lock.
type clientState int

const (
	clientUnknown clientState = iota // it runs on another machine, or is an older release
	clientAlive
	clientGone
)

// maxProcess is the highest process ID on Linux, and processBits is its size.
const (
	processBits = 22
	maxProcess  = 1<<processBits - 1
)

// newClient packs a process ID and its start time, in any unit.
func newClient(space, pid uint32, began uint64) client {
	if space == 0 || pid == 0 || pid > maxProcess {
		return client{}
	}

	return client{space: space, process: pid | uint32(began%1021)<<processBits}
}

func (c client) pid() int { return int(c.process & maxProcess) }

// state returns what this machine knows about a client.
func (c client) state() clientState {
	self := thisClient()

	switch {
	case c.space == 0 || c.space != self.space:
		return clientUnknown
	case c == self || isAlive(c):
		return clientAlive
	}

	return clientGone
}
