package textfile

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"
)

// merge returns the content of a file after a run. A non-nil lost says that there
// is something in the old content that can be neither read nor kept; the new
// content is whole in any case.
func merge(old []byte, r Record) (content []byte, lost, err error) {
	others, own, lost := split(old)
	if _, err := parse(others); err != nil {
		others, lost = nil, err
	}

	update(own, r)
	ours, err := own.encode()
	if err != nil {
		return nil, lost, err
	}

	content = append(slices.Clip(others), ours...)
	if _, err := parse(content); err != nil {
		// Others use our names in a way that makes the two no file together.
		content, lost = ours, err
	}

	return content, lost, nil
}

// parse reads the text format as node_exporter does.
func parse(content []byte) (map[string]*dto.MetricFamily, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	return parser.TextToMetricFamilies(bytes.NewReader(content))
}

// split parts the lines of others, which stay as they are, comments included, from
// our series. A line of ours that cannot be read, such as the last one of a file
// that was cut off, is left out, and lost says so.
func split(content []byte) (others []byte, own metrics, lost error) {
	own = make(metrics)
	for _, f := range families() {
		own[f.name] = make(map[string]series)
	}

	no := 0

	for line := range bytes.Lines(content) {
		no++
		name, isSample := metricName(string(line))

		switch {
		case own[name] == nil:
			others = append(others, line...)
		case isSample:
			s, err := readSample(name, line)
			if err != nil {
				lost = errors.Join(lost, fmt.Errorf("line %d: %w", no, err))
				continue
			}

			own[name][s.key()] = s
		}
	}

	return others, own, lost
}

// metricName returns the name of the metric that a line is about, empty where there is
// none, and whether the line is a sample and not its help or type.
func metricName(line string) (name string, isSample bool) {
	const blanks = " \t\n"
	line = strings.TrimLeft(line, blanks)
	comment, isComment := strings.CutPrefix(line, "#")
	if !isComment {
		if end := strings.IndexAny(line, blanks+"{"); end >= 0 {
			line = line[:end]
		}

		return line, true
	}

	words := strings.Fields(comment)
	if len(words) < 2 || words[0] != "HELP" && words[0] != "TYPE" {
		return "", false
	}

	return words[1], false
}

// readSample reads one line by itself.
func readSample(name string, line []byte) (series, error) {
	parsed, err := parse(line)
	if err != nil {
		// The parser counts from the line that it was given.
		var at expfmt.ParseError
		if errors.As(err, &at) {
			err = errors.New(at.Msg)
		}

		return series{}, err
	}

	found := parsed[name].GetMetric()
	if len(found) != 1 {
		return series{}, fmt.Errorf("%q is no sample of %s", line, name)
	}

	s := series{value: found[0].GetUntyped().GetValue()}

	for _, l := range found[0].GetLabel() {
		s.labels = append(s.labels, label{l.GetName(), l.GetValue()})
	}

	s.sort()

	for i := 1; i < len(s.labels); i++ {
		if s.labels[i].name == s.labels[i-1].name {
			return series{}, fmt.Errorf("%q has the label %s twice", line, s.labels[i].name)
		}
	}

	return s, nil
}

// metrics are our series, by the name of their family and by their labels.
type metrics map[string]map[string]series

type label struct{ name, value string }

// series is a number with its labels, which are sorted by name.
type series struct {
	labels []label
	value  float64
}

func (s series) sort() {
	slices.SortFunc(s.labels, func(a, b label) int { return cmp.Compare(a.name, b.name) })
}

// key tells one series of a family from another.
func (s series) key() string { return fmt.Sprintf("%q", s.labels) }

// hasLabels tells whether a series has these labels among its own.
func (s series) hasLabels(labels []label) bool {
	for _, l := range labels {
		if !slices.Contains(s.labels, l) {
			return false
		}
	}

	return true
}

// update puts a record in the place of the one that its job had. Numbers that say
// nothing, which are those that are not finite, are left out.
func update(own metrics, r Record) {
	job := []label{{"job_name", validUTF8(r.Job)}, {"table", validUTF8(r.Table)}}
	add := make(map[string]bool)

	for _, f := range families() {
		add[f.name] = f.lifetime == counted
		if f.lifetime == ofRun {
			for key, s := range own[f.name] {
				if s.hasLabels(job) {
					delete(own[f.name], key)
				}
			}
		}
	}

	for _, n := range samples(r) {
		s := series{labels: slices.Clone(job), value: n.value}
		for _, l := range n.extra {
			s.labels = append(s.labels, label{l.name, validUTF8(l.value)})
		}

		s.sort()
		if add[n.name] {
			s.value = max(0, s.value) + max(0, finite(own[n.name][s.key()].value))
		}

		if s.value == finite(s.value) {
			own[n.name][s.key()] = s
		}
	}
}

// finite returns a number that can be counted on with, 0 where it is none.
func finite(v float64) float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	return v
}

// validUTF8 returns text that the format can hold.
func validUTF8(s string) string { return strings.ToValidUTF8(s, "?") }

// encode writes families in their order, and the series of each by their labels, so
// that a file whose numbers stay the same stays the same.
func (m metrics) encode() ([]byte, error) {
	var out bytes.Buffer
	for _, f := range families() {
		if len(m[f.name]) == 0 {
			continue
		}

		kind := dto.MetricType_GAUGE
		if f.lifetime == counted {
			kind = dto.MetricType_COUNTER
		}

		written := &dto.MetricFamily{Name: proto.String(f.name), Help: proto.String(f.help), Type: kind.Enum()}

		for _, key := range slices.Sorted(maps.Keys(m[f.name])) {
			s, one := m[f.name][key], new(dto.Metric)
			for _, l := range s.labels {
				one.Label = append(one.Label, &dto.LabelPair{Name: proto.String(l.name), Value: proto.String(l.value)})
			}

			if f.lifetime == counted {
				one.Counter = &dto.Counter{Value: proto.Float64(s.value)}
			} else {
				one.Gauge = &dto.Gauge{Value: proto.Float64(s.value)}
			}

			written.Metric = append(written.Metric, one)
		}

		if _, err := expfmt.MetricFamilyToText(&out, written); err != nil {
			return nil, fmt.Errorf("encoding the metric %s: %w", f.name, err)
		}
	}

	return out.Bytes(), nil
}
