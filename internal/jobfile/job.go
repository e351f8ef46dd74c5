// Package jobfile owns the form of job files: YAML that says what loadgrid's load is to
// do, once or several times, with the names of its flags as keys. It knows the types of
// the values and where each stands; what a value means is the flags' business.
package jobfile

import (
	"iter"
	"reflect"
	"slices"
	"strings"
)

// Settings are the keys that jobs and defaults have in common: the flags of load, in
// the order of its help, and what only a file may say.
type Settings struct {
	Table Text `yaml:"table"`

	CellSize Size   `yaml:"cell-size"`
	Extent   Box    `yaml:"extent"`
	Cols     Whole  `yaml:"cols"`
	Rows     Whole  `yaml:"rows"`
	Origin   Point  `yaml:"origin"`
	SRID     SRID   `yaml:"srid"`
	Shape    Text   `yaml:"shape" jsonschema:"enum=square,enum=hexagon,enum=xyz"`
	Hexagon  Text   `yaml:"hexagon" jsonschema:"enum=flat,enum=pointy"`
	Zoom     Whole  `yaml:"zoom"`
	Rotate   Number `yaml:"rotate"`
	Geometry Text   `yaml:"geometry" jsonschema:"enum=polygon,enum=point"`

	AOI           Text     `yaml:"aoi"`
	AOISQL        SQL      `yaml:"aoi-sql"`
	AOISQLTimeout Duration `yaml:"aoi-sql-timeout"`
	AOIRule       Text     `yaml:"aoi-rule" jsonschema:"enum=intersects,enum=within,enum=centroid"`
	AOISegmentize Number   `yaml:"aoi-segmentize"`
	AOIMakeValid  Bool     `yaml:"aoi-make-valid"`
	Coverage      Bool     `yaml:"coverage"`
	Clip          Bool     `yaml:"clip"`

	IDColumn   Text  `yaml:"id-column"`
	GeomColumn Text  `yaml:"geom-column"`
	Set        Texts `yaml:"set"`
	Code       Text  `yaml:"code" jsonschema:"enum=inspire,enum=inspire-short,enum=quadkey"`
	CodeOrder  Text  `yaml:"code-order" jsonschema:"enum=ne,enum=en"`
	CodeIndex  Bool  `yaml:"code-index"`

	IfExists   Text  `yaml:"if-exists" jsonschema:"enum=fail,enum=append,enum=replace"`
	OnConflict Text  `yaml:"on-conflict" jsonschema:"enum=error,enum=skip"`
	Publish    Text  `yaml:"publish" jsonschema:"enum=swap,enum=truncate"`
	Keep       Whole `yaml:"keep"`

	Partitions Whole `yaml:"partitions"`
	Index      Text  `yaml:"index" jsonschema:"enum=gist,enum=brin,enum=both,enum=none"`
	Unlogged   Bool  `yaml:"unlogged"`
	Streams    Whole `yaml:"streams"`
	ChunkRows  Whole `yaml:"chunk-rows"`

	Before        SQL      `yaml:"before"`
	BeforeTimeout Duration `yaml:"before-timeout"`
	After         SQL      `yaml:"after"`
	AfterTimeout  Duration `yaml:"after-timeout"`
	Wait          Duration `yaml:"wait"`
	SkipUnchanged Bool     `yaml:"skip-unchanged"`
	PruneRuns     Text     `yaml:"prune-runs"`

	DSN          DSN      `yaml:"dsn"`
	Password     Password `yaml:"password"`
	LedgerSchema Text     `yaml:"ledger-schema"`
	Progress     Text     `yaml:"progress" jsonschema:"enum=auto,enum=bar,enum=json,enum=none"`
	LogFormat    Text     `yaml:"log-format" jsonschema:"enum=text,enum=json"`

	MetricsTextfile Text `yaml:"metrics-textfile"`
}

// Job is one of a file's jobs.
type Job struct {
	Settings
	// Name is what the job is called in messages, in logs and by --only. Defaults to
	// its table.
	Name Text `yaml:"name"`

	pos         Pos
	displayName string
}

// DisplayName returns the job's name, that of its table where it has none of its own, or
// "" where the file says neither.
func (j *Job) DisplayName() string { return j.displayName }

// Pos returns where the job begins.
func (j *Job) Pos() Pos { return j.pos }

// File is a job file that has been read.
type File struct {
	Name     string // for messages
	Defaults Settings
	Jobs     []*Job
}

// Pos is a place in a file; lines and columns count from 1, columns in characters.
type Pos struct{ Line, Column int }

// Item is a value as the flag takes it, and its place in the file.
type Item struct {
	Pos
	Text string
}

// Value is what a file says for one key: what its flag is set to, several times for
// a list. It is empty where the file does not have the key.
type Value struct{ Items []Item }

// Setting is a key with its value.
type Setting struct {
	Key string
	Value
}

// keys goes over the keys of a struct of kinds.
func keys(s any) iter.Seq2[string, kind] {
	return func(yield func(string, kind) bool) {
		eachKey(reflect.ValueOf(s).Elem(), func(field reflect.StructField, k kind) bool { return yield(field.Tag.Get("yaml"), k) })
	}
}

// choices returns what the value of a key may be, nil where it may be anything.
func choices(s any, key string) (list []string) {
	eachKey(reflect.ValueOf(s).Elem(), func(field reflect.StructField, _ kind) bool {
		if field.Tag.Get("yaml") != key {
			return true
		}

		for word := range strings.SplitSeq(field.Tag.Get("jsonschema"), ",") {
			if choice, ok := strings.CutPrefix(word, "enum="); ok {
				list = append(list, choice)
			}
		}

		return false
	})

	return list
}

func eachKey(v reflect.Value, yield func(reflect.StructField, kind) bool) bool {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		switch {
		case field.Anonymous:
			if !eachKey(v.Field(i), yield) {
				return false
			}
		case field.Tag.Get("yaml") != "":
			if !yield(field, v.Field(i).Addr().Interface().(kind)) {
				return false
			}
		}
	}

	return true
}

// alternatives lists keys that take each other's place: extent that of cols and rows,
// and so on.
func alternatives() [][][]string {
	return [][][]string{
		{{"extent"}, {"cols", "rows"}},
		{{"aoi"}, {"aoi-sql", "aoi-sql-timeout"}},
	}
}

// Merge returns what holds for a job: what it says, and below that what the defaults
// say. Keys that the command line has, as given tells, are left out. Whoever gives one
// of two alternatives, command line, job or defaults, overrides the other below.
func (f *File) Merge(job *Job, given func(key string) bool) []Setting {
	var settings []Setting
	mine := valuesByKey(&job.Settings)

	for key, k := range keys(&f.Defaults) {
		v := k.value()
		if len(mine[key].Items) > 0 {
			v = mine[key]
		} else if overridden(key, func(other string) bool { return len(mine[other].Items) > 0 }) {
			continue
		}

		if len(v.Items) > 0 && !given(key) && !overridden(key, given) {
			settings = append(settings, Setting{key, v})
		}
	}

	return settings
}

func valuesByKey(s *Settings) map[string]Value {
	values := make(map[string]Value)
	for key, k := range keys(s) {
		if v := k.value(); len(v.Items) > 0 {
			values[key] = v
		}
	}

	return values
}

// overridden tells whether a layer above, which has the keys that has says, gives
// another alternative than the key's.
func overridden(key string, has func(string) bool) bool {
	for _, group := range alternatives() {
		for _, mine := range group {
			if !slices.Contains(mine, key) {
				continue
			}

			for _, other := range group {
				if !slices.Contains(other, key) && slices.ContainsFunc(other, has) {
					return true
				}
			}
		}
	}

	return false
}

// Keys returns the keys of a job.
func Keys() []string { return namesOf(new(Job)) }

// Choices returns what the value of a key may be, nil where it may be anything.
func Choices(key string) []string { return choices(new(Job), key) }
