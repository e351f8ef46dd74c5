// Package serverfacts owns what a server, a role and a link say of themselves. It asks in read-only
// transactions, and changes nothing on the server.
package serverfacts

import (
	"time"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Facts are what a server, a role and a link say of themselves.
type Facts struct {
	Host        string // a name, an address or the directory of a socket
	Port        uint16
	Server      Server
	PostGIS     PostGIS
	Citus       citus.Cluster
	Pooler      Pooler
	Standbys    Standbys
	Systems     Systems
	Role        Role
	Schema      Schema
	Ledger      Ledger
	Connections Connections
	Settings    Settings
	Disk        Disk
	Link        Link
	// Unread has the server's words for each topic that it did not let the role read.
	Unread map[Topic]string
}

// Topic is a part of the facts, which is read at a time.
type Topic string

// The topics. Without TopicServer there are no facts.
const (
	TopicServer      Topic = "server"
	TopicStandbys    Topic = "standbys"
	TopicSystems     Topic = "spatial_ref_sys"
	TopicRole        Topic = "role"
	TopicSchema      Topic = "schema"
	TopicLedger      Topic = "ledger"
	TopicConnections Topic = "connections"
	TopicSettings    Topic = "settings"
	TopicDisk        Topic = "disk"
	TopicLink        Topic = "link"
)

// Server is what kind of server it is.
type Server struct {
	VersionNum int    // 150018 of 15.18
	Version    string // 15.18
	Database   string
	InRecovery bool // a standby
	ReadOnly   bool // sessions begin read-only transactions
	Traits     plan.Server
	// Provider is who runs the server, as far as its roles show. It is the zero value where nobody
	// does.
	Provider Provider
}

// PostGIS is what the database has of it. Version is empty without it.
type PostGIS struct {
	Version   string
	Schema    string
	Usable    bool   // the role has USAGE on the schema
	Installed string // the version of the package on the server, which an update takes
}

// Pooler is what is between this program and the server.
type Pooler struct {
	Present bool
	// Trouble says why a load cannot go through it, and Cure what helps. Both are empty where it can.
	Trouble, Cure string
}

// Standbys are those that receive the server's WAL.
type Standbys struct {
	Connected int
	// Synchronous is how many of them commits can wait for, -1 where the role may not see that.
	Synchronous int
	Names       string // synchronous_standby_names
	// Inactive is the name of the replication slot that keeps most WAL for nobody, and Kept how much.
	Inactive string
	Kept     int64 // bytes
}

// Systems is what spatial_ref_sys says.
type Systems struct {
	Present, Readable bool
	Rows              int64
	Missing, Other    []int32 // which of the SRIDs that are looked up are not there, or mean something else
}

// Role is who loads.
type Role struct {
	Name, Session string // current_user, session_user
	Superuser     bool
	Temp          bool // may make temporary tables in the database
	CreateSchemas bool // may make schemas in it
	ReadsStats    bool // has pg_read_all_stats
}

// Schema is where tables go. Name is empty where the search_path has none.
type Schema struct {
	Name                            string
	Exists, Usage, Create, Everyone bool // Everyone: any role may create in it
	Tablespace                      string
	TablespaceUsable                bool
}

// Ledger is what the ledger's schema has.
type Ledger struct {
	Schema                string
	Exists, Usage, Create bool
	Present               bool // it has the tables
	Readable              bool // the role may read its version
	Writable              bool // the role may write runs and chunks
	Owned                 bool // the role may migrate its tables
	Version, Latest       uint
	Dirty                 bool // a migration was killed
	Foreign, Cure         string
}

// Connections is how many there may be, and are.
type Connections struct {
	Max, Reserved, Used         int
	RoleLimit, RoleUsed         int // a limit of -1 is none
	DatabaseLimit, DatabaseUsed int
	Own                         int // those of the examination itself, which are among the used
	Need                        int // of a load
	Streams                     int // of that load
}

// Disk is what the server says of its disk. -1 is what it does not say.
type Disk struct {
	DatabaseBytes, TablespaceBytes, WALBytes int64
	Tablespace                               string // of the database
}

// Link is the way to the server.
type Link struct {
	Local     bool // a socket, or this machine's own address
	Encrypted bool
	Latency   time.Duration // the median of Trips round trips
	Trips     int
	// UploadBytes went to the server in UploadTook, the answer's way not counted.
	UploadBytes int64
	UploadTook  time.Duration
	// NotSent says why nothing was uploaded, empty if something was.
	NotSent string
}

// Rate is how many bytes a second go to the server, 0 where that was not measured.
func (l Link) Rate() float64 {
	if l.UploadTook <= 0 {
		return 0
	}
	return float64(l.UploadBytes) / l.UploadTook.Seconds()
}
