package job

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/loadgrid/loadgrid/geomgen"
)

// Distribute chooses how the rows of a table are distributed over the workers of a Citus cluster.
type Distribute string

// DistributeHash distributes rows by the hash of the key's first column.
const DistributeHash Distribute = "hash"

const (
	// ParentColumn is the column that Job.ParentLevels adds.
	ParentColumn = "parent"
	// MaxParentLevels is the most levels between a parent and its cells. A higher level would have only the four
	// quadrants of the grid.
	MaxParentLevels = 30
	// MaxShards is the most shards that a job can ask for. Citus allows no more in a table.
	MaxShards = 64_000
)

// ParseDistribute reads hash or hash:SHARDS. It returns shards 0 if there is no number.
func ParseDistribute(s string) (d Distribute, shards int, err error) {
	method, number, numbered := strings.Cut(s, ":")
	if Distribute(method) != DistributeHash {
		return "", 0, fmt.Errorf("must be hash or hash:SHARDS, such as hash:8")
	}

	if numbered {
		shards, err = strconv.Atoi(number)
		if err != nil || shards < 1 || shards > MaxShards {
			return "", 0, fmt.Errorf("the number of shards must lie between 1 and %d", MaxShards)
		}
	}

	return DistributeHash, shards, nil
}

// ParseParent reads parent:K, and returns K.
func ParseParent(s string) (levels int, err error) {
	number, ok := strings.CutPrefix(s, ParentColumn+":")
	if ok {
		levels, err = strconv.Atoi(number)
	}

	if !ok || err != nil || levels < 1 || levels > MaxParentLevels {
		return 0, fmt.Errorf("must be parent:K, with K between 1 and %d", MaxParentLevels)
	}

	return levels, nil
}

// DistributionText returns the form that ParseDistribute reads, or "" for a table that is not distributed.
func (j Job) DistributionText() string {
	if j.Shards > 0 {
		return fmt.Sprintf("%s:%d", j.Distribute, j.Shards)
	}
	return string(j.Distribute)
}

// ParentText returns the form that ParseParent reads, or "" for a table without parents.
func (j Job) ParentText() string {
	if j.ParentLevels == 0 {
		return ""
	}
	return fmt.Sprintf("%s:%d", ParentColumn, j.ParentLevels)
}

// KeyColumns returns the columns of the primary key. The first one is the distribution column of a distributed
// table.
func (j Job) KeyColumns() []string {
	if j.ParentLevels > 0 {
		return []string{ParentColumn, j.IDColumn}
	}

	if j.Pairs() {
		return []string{j.IDColumn, j.Each.Name}
	}

	return []string{j.IDColumn}
}

// validateDistribution checks the settings for a cluster.
func (j Job) validateDistribution() error {
	bad := func(param, value, reason string) error {
		return &geomgen.ParamError{Param: param, Value: value, Reason: reason}
	}
	colocated := j.ColocateWith != Table{}

	switch {
	case j.Distribute != "" && j.Distribute != DistributeHash:
		return bad("distribute", string(j.Distribute), "must be hash")
	case j.Shards < 0 || j.Shards > MaxShards:
		return bad("distribute", j.DistributionText(), fmt.Sprintf("the number of shards must lie between 1 and %d", MaxShards))
	case j.ParentLevels < 0 || j.ParentLevels > MaxParentLevels:
		return bad("distribute-by", j.ParentText(), fmt.Sprintf("must be parent:K, with K between 1 and %d", MaxParentLevels))
	case j.Distribute == "" && j.Shards > 0:
		return bad("distribute", strconv.Itoa(j.Shards), "shards need distribute hash")
	case j.Distribute == "" && colocated:
		return bad("colocate-with", j.ColocateWith.String(), "needs distribute hash")
	case j.Distribute == "" && j.ParentLevels > 0:
		return bad("distribute-by", j.ParentText(), "needs distribute hash")
	case j.Distribute == "":
		return nil
	case j.Partitions > 0:
		return bad("distribute", j.DistributionText(), "conflicts with partitions: a distributed table is divided into shards instead")
	case j.CodeIndex:
		return bad("distribute", j.DistributionText(), "conflicts with code-index: a unique index of a distributed table must include the distribution column, so the code alone cannot have one")
	case colocated && j.Shards > 0:
		return bad("colocate-with", j.ColocateWith.String(), "conflicts with a number of shards: the table gets as many shards as that table")
	}

	if !colocated {
		return nil
	}

	if err := CheckIdentifier("colocate-with", j.ColocateWith.Name); err != nil || j.ColocateWith.Schema == "" {
		return err
	}

	return CheckIdentifier("colocate-with", j.ColocateWith.Schema)
}
