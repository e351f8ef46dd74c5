package geomgen

import "math"

// exactSum adds numbers without loss. Source: J. R. Shewchuk, as for side. The sum is stored as in Python's
// math.fsum, by R. Hettinger.
type exactSum struct{ terms []float64 } // not overlapping, smallest first

// add adds a number.
func (e *exactSum) add(f float64) {
	n := 0
	for _, t := range e.terms {
		var tail float64
		if f, tail = twoSum(f, t); tail != 0 {
			e.terms[n] = tail
			n++
		}
	}

	e.terms = e.terms[:n]
	if f != 0 {
		e.terms = append(e.terms, f)
	}
}

// addCross adds p x q, the area of the parallelogram of two points and the origin.
func (e *exactSum) addCross(p, q Point) {
	l := p.X * q.Y
	e.add(math.FMA(p.X, q.Y, -l))
	e.add(l)
	r := -p.Y * q.X
	e.add(math.FMA(-p.Y, q.X, -r))
	e.add(r)
}

// subtract subtracts another sum.
func (e *exactSum) subtract(o *exactSum) {
	for _, t := range o.terms {
		e.add(-t)
	}
}

func (e *exactSum) sign() int {
	if n := len(e.terms); n > 0 {
		return sign(e.terms[n-1])
	}
	return 0
}

// rounded returns the number nearest to the sum. Between two, it returns the one whose last bit is 0.
func (e *exactSum) rounded() float64 {
	n := len(e.terms)
	if n == 0 {
		return 0
	}

	hi, lo := e.terms[n-1], 0.0
	for n--; n > 0 && lo == 0; n-- {
		hi, lo = twoSum(hi, e.terms[n-1])
	}

	// Half way between two numbers, the rest decides.
	if n > 0 && sign(lo) == sign(e.terms[n-1]) {
		if twice := 2 * lo; hi+twice-hi == twice {
			hi += twice
		}
	}
	return hi
}

// contourArea returns the area to the left of a contour, rounded once, and sets the sum to it. Source: the
// shoelace formula.
func (e *exactSum) contourArea(c contour) float64 {
	e.terms = e.terms[:0]
	for i := range c.points {
		if c.isSegment(i) {
			e.addCross(c.points[i], c.points[i+1])
		}
	}
	return e.rounded() / 2
}
