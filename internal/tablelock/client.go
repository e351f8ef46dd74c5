package tablelock

// client is a process that holds a lock, as others can see it: the session which has the
// lock of a table also has a shared advisory lock with these two numbers. A backend outlives
// its client for a while when that is killed in the middle of a statement. Another process
// of the same machine can tell by them that nobody is there any more.
type client struct {
	space   uint32 // the machine since it has started, and its space of process numbers; 0: not known
	process uint32 // the number of the process, and a part of when it began
}

// clientState is what is known of the process that holds a lock.
type clientState int

const (
	clientUnknown clientState = iota // it runs on another machine, or is of an older release
	clientAlive
	clientGone
)

// maxProcess is the highest number of a process on Linux, and processBits are what it takes.
const (
	processBits = 22
	maxProcess  = 1<<processBits - 1
)

// newClient packs the number of a process, and when it began, in any unit.
func newClient(space, pid uint32, began uint64) client {
	if space == 0 || pid == 0 || pid > maxProcess {
		return client{}
	}

	return client{space: space, process: pid | uint32(began%1021)<<processBits}
}

func (c client) pid() int { return int(c.process & maxProcess) }

// state returns what this machine knows of a client.
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
