package geomgen

import (
	"math"
	"math/big"
)

// crossSide returns the point where a segment crosses a side of a cell, from p to q. Each coordinate is the exact
// one rounded to the nearest number, so it does not depend on which of the two cells is clipped. The one
// exception is a corner: a crossing near it never becomes the corner itself, but the next number. So a coordinate
// is off by less than one unit in the last place. rest is what rounding removed from each coordinate, to about 16
// digits.
//
// Along the side, the points are in the order of the crossings, though two may coincide. A side along an axis
// keeps its coordinate, and so does such a segment.
func crossSide(s segment, p, q Point) (at, rest Point) {
	var x, y double
	var offX, offY float64
	switch {
	case p.X == q.X:
		x.hi = p.X
		y, offY = through(s.a.Y, s.b.Y, s.a.X, s.b.X, p.X)
	case p.Y == q.Y:
		y.hi = p.Y
		x, offX = through(s.a.X, s.b.X, s.a.Y, s.b.Y, p.Y)
	default:
		x, y, offX, offY = slanted(s, p, q)
	}

	if !x.rounded(offX) || !y.rounded(offY) {
		return crossingRational(s, p, q)
	}

	at = Point{keepBetween(x.hi, p.X, q.X), keepBetween(y.hi, p.Y, q.Y)}
	return at, Point{(x.hi - at.X) + x.lo, (y.hi - at.Y) + y.lo}
}

// keepBetween keeps a coordinate between two corners from being equal to either, if there is a number between
// them.
func keepBetween(v, p, q float64) float64 {
	if p > q {
		p, q = q, p
	}
	if p == q || v > p && v < q {
		return v
	}
	lo, hi := math.Nextafter(p, q), math.Nextafter(q, p)
	if lo > hi { // neighbours: there is no number between them
		return v
	}
	return max(lo, min(hi, v))
}

// crossingRational is crossSide in fractions.
func crossingRational(s segment, p, q Point) (at, rest Point) {
	c := crossingExact(s, p, q)
	x, _ := c.x.Float64()
	y, _ := c.y.Float64()
	at = Point{keepBetween(x, p.X, q.X), keepBetween(y, p.Y, q.Y)}
	e := rational(at)
	rest.X, _ = e.x.Sub(c.x, e.x).Float64()
	rest.Y, _ = e.y.Sub(c.y, e.y).Float64()
	return at, rest
}

// crossingExact returns the point where a segment crosses a side, as fractions.
func crossingExact(s segment, p, q Point) ratPoint {
	t := crossingShare(s, p, q)
	along := func(a, b *big.Rat) *big.Rat {
		d := new(big.Rat).Sub(b, a)
		return d.Add(a, d.Mul(d, t))
	}
	e, f := rational(p), rational(q)
	return ratPoint{along(e.x, f.x), along(e.y, f.y)}
}

// crossingShare returns how far along the way from p to q a segment crosses a side, 0 to 1.
func crossingShare(s segment, p, q Point) *big.Rat {
	a, b := rational(s.a), rational(s.b)
	dp, dq := crossRational(a, b, rational(p)), crossRational(a, b, rational(q))
	return dp.Quo(dp, dq.Sub(dp, dq))
}

// through returns the height at x of the line from (x0, y0) to (x1, y1), where x is between x0 and x1, and a
// bound of its error.
func through(y0, y1, x0, x1, x float64) (y double, off float64) {
	if y0 == y1 {
		return double{hi: y0}, 0
	}
	rise := difference(y1, y0).times(difference(x, x0)).over(difference(x1, x0))
	return plus(y0, rise), doubleError * math.Abs(rise.hi)
}

// slanted returns the point where a segment crosses a side that is not along an axis, and bounds of the errors of
// its coordinates.
func slanted(s segment, p, q Point) (x, y double, offX, offY float64) {
	dp, offP := triangle(s, p)
	dq, offQ := triangle(s, q)
	whole := dp.minus(dq) // with opposite signs
	t := dp.over(whole)
	off := 2*(offP+offQ)/math.Abs(whole.hi) + doubleError

	x, y = double{hi: s.a.X}, double{hi: s.a.Y}
	if s.a.X != s.b.X {
		x, offX = plus(p.X, difference(q.X, p.X).times(t)), math.Abs(q.X-p.X)*off
	}
	if s.a.Y != s.b.Y {
		y, offY = plus(p.Y, difference(q.Y, p.Y).times(t)), math.Abs(q.Y-p.Y)*off
	}
	return x, y, offX, offY
}

// triangle returns twice the area of the triangle of a segment and a point, with the sign of side, and a bound of
// its error.
func triangle(s segment, c Point) (d double, off float64) {
	left := difference(s.a.X, c.X).times(difference(s.b.Y, c.Y))
	right := difference(s.a.Y, c.Y).times(difference(s.b.X, c.X))
	return left.minus(right), doubleError * (math.Abs(left.hi) + math.Abs(right.hi))
}

// double is a number as the sum of two: about 32 digits. Source: T. J. Dekker, A Floating-Point Technique for
// Extending the Available Precision, Numerische Mathematik 18 (1971).
type double struct{ hi, lo float64 }

// doubleError bounds the error of any chain of operations here, relative to the largest number in it. The error
// of each is less than 2^-100.
const doubleError = 1.0 / (1 << 48) / (1 << 48)

func difference(a, b float64) double {
	hi, lo := diff(a, b)
	return double{hi, lo}
}

// plus returns a + b, rounded to the nearest number, and the remainder.
func plus(a float64, b double) double {
	s, e := twoSum(a, b.hi)
	hi, lo := twoSum(s, e+b.lo)
	return double{hi, lo}
}

func (a double) minus(b double) double {
	s, e := twoSum(a.hi, -b.hi)
	hi, lo := twoSum(s, e+(a.lo-b.lo))
	return double{hi, lo}
}

func (a double) times(b double) double {
	p := a.hi * b.hi
	if math.Abs(p) < tiny && a.hi != 0 && b.hi != 0 { // its error may not be representable
		return double{math.NaN(), 0}
	}
	e := math.FMA(a.hi, b.hi, -p) + (float64(a.hi*b.lo) + float64(a.lo*b.hi))
	hi, lo := twoSum(p, e)
	return double{hi, lo}
}

func (a double) over(b double) double {
	q := a.hi / b.hi
	r := a.minus(double{q, 0}.times(b))
	p := r.hi / b.hi
	hi, lo := twoSum(q, p)
	return double{hi, lo}
}

// rounded reports whether hi is certainly the number nearest to the exact one, if the error of the sum is at most
// off.
func (a double) rounded(off float64) bool {
	if off *= 2; off != 0 && math.Abs(a.hi) < tiny { // digits may have been lost
		return false
	}
	off += 0x1p-51 * math.Abs(a.lo) // the error of the sums below
	return a.hi+(a.lo-off) == a.hi && a.hi+(a.lo+off) == a.hi
}
