// Package serverfacts reads the facts of a server, a role and a network link. It uses read-only
// transactions and changes nothing on the server.
package serverfacts

import (
	"time"

	"github.com/loadgrid/loadgrid/internal/citus"
	"github.com/loadgrid/loadgrid/loader/plan"
)

// Facts are the facts of a server, a role and a link.
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
	// Unread has the server's message for each topic that the role could not read.
	Unread map[Topic]string
}

// Topic is a part of the facts that is read in one step.
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

// Server describes the server.
type Server struct {
	VersionNum int    // 150018 of 15.18
	Version    string // 15.18
	Database   string
	InRecovery bool // a standby
	ReadOnly   bool // sessions begin read-only transactions
	Traits     plan.Server
	// Provider is who runs the server, as far as its roles show. It is the zero value if no provider is found.
	Provider Provider
}

// PostGIS describes PostGIS in the database. Version is empty if it is missing.
type PostGIS struct {
	Version   string
	Schema    string
	Usable    bool   // the role has USAGE on the schema
	Installed string // the version of the package on the server, to which an update leads
}

// Pooler describes a connection pooler between this program and the server.
type Pooler struct {
	Present bool
	// Trouble says why a load cannot use it, and Cure how to fix that. Both are empty if it can.
	Trouble, Cure string
}

// Standbys describes the standbys that receive the server's WAL.
type Standbys struct {
	Connected int
	// Synchronous is how many of them commits can wait for, -1 if the role may not see that.
	Synchronous int
	Names       string // synchronous_standby_names
	// Inactive is the name of the replication slot without a reader that keeps the most WAL, and Kept is how much.
	Inactive string
	Kept     int64 // bytes
}

// Systems describes the content of spatial_ref_sys.
type Systems struct {
	Present, Readable bool
	Rows              int64
	Missing, Other    []int32 // SRIDs of those looked up that are missing, or that have another meaning
}

// Role is the role that loads.
type Role struct {
	Name, Session string // current_user, session_user
	Superuser     bool
	Temp          bool // may make temporary tables in the database
	CreateSchemas bool // may make schemas in it
	ReadsStats    bool // has pg_read_all_stats
}

// Schema is the schema for tables. Name is empty if the search_path has none.
type Schema struct {
	Name                            string
	Exists, Usage, Create, Everyone bool // Everyone: any role may create in it
	Tablespace                      string
	TablespaceUsable                bool
}

// Ledger describes the schema of the ledger.
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

// Connections holds the numbers of allowed and used connections.
type Connections struct {
	Max, Reserved, Used         int
	RoleLimit, RoleUsed         int // -1 means no limit
	DatabaseLimit, DatabaseUsed int
	Own                         int // used by the examination itself, included in Used
	Need                        int // needed by a load
	Streams                     int // of that load
}

// Disk is what the server reports about its disk. A value that it does not report is -1.
type Disk struct {
	DatabaseBytes, TablespaceBytes, WALBytes int64
	Tablespace                               string // of the database
}

// Link is the network link to the server.
type Link struct {
	Local     bool // a socket, or this machine's own address
	Encrypted bool
	Latency   time.Duration // the median of Trips round trips
	Trips     int
	// UploadBytes were sent to the server in UploadTook, not counting the latency of the answer.
	UploadBytes int64
	UploadTook  time.Duration
	// NotSent says why nothing was uploaded, empty if something was.
	NotSent string
}

// Rate is the upload rate in bytes per second, 0 if it was not measured.
func (l Link) Rate() float64 {
	if l.UploadTook <= 0 {
		return 0
	}
	return float64(l.UploadBytes) / l.UploadTook.Seconds()
}
