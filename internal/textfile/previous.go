package textfile

import (
	"errors"
	"fmt"
	"os"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// previous has the values of earlier runs in the file, by metric and additional label.
type previous map[string]map[string]float64

// value returns a number, and whether it exists and is finite.
func (p previous) value(metric, label string) (float64, bool) {
	v, ok := p[metric][label]
	if !ok || !isFinite(v) {
		return 0, false
	}
	return v, true
}

// ForeignError reports a file with metrics that are not the job's.
type ForeignError struct {
	Job    string // the job whose metrics were to be written
	Metric string // the metric in the file
	Owner  string // the job that the metric belongs to, "" if it is not from loadgrid
}

func (e *ForeignError) Error() string {
	owner := "of another program"
	if e.Owner != "" {
		owner = fmt.Sprintf("of job %q", e.Owner)
	}
	return fmt.Sprintf("the file has metrics %s (%s), but a file holds only one job: give job %q its own file, for example with %s in its name", owner, e.Metric, e.Job, jobPlaceholder)
}

// readPrevious reads what a job has left in a file. If the file cannot be read or is truncated, p
// is empty and damage is the reason. If it has metrics of others, foreign reports it. Values for
// another table of the job are dropped.
func readPrevious(path, job, table string) (p previous, foreign *ForeignError, damage error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()

	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, damage := parser.TextToMetricFamilies(f)

	p = make(previous)
	for name, family := range families {
		for _, metric := range family.GetMetric() {
			labels := labelsOf(metric)
			if owner := labels[labelJob]; !strings.HasPrefix(name, metricPrefix) || owner != job {
				return nil, &ForeignError{Job: job, Metric: name, Owner: owner}, nil
			}
			if labels[labelTable] == table {
				p.add(name, labels, metric)
			}
		}
	}

	if damage != nil {
		return nil, nil, damage
	}
	return p, nil, nil
}

func (p previous) add(name string, labels map[string]string, metric *dto.Metric) {
	if p[name] == nil {
		p[name] = make(map[string]float64)
	}
	p[name][labels[labelOutcome]] = metric.GetGauge().GetValue() + metric.GetCounter().GetValue() + metric.GetUntyped().GetValue()
}

func labelsOf(metric *dto.Metric) map[string]string {
	labels := make(map[string]string)
	for _, l := range metric.GetLabel() {
		labels[l.GetName()] = l.GetValue()
	}
	return labels
}
