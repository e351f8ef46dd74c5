package geomgen

import (
	"math"
	"math/big"
)

// Side returns on which side of the line from a to b the point c is: 1 for left, -1 for right, 0 for on the line.
// The result is exact.
func Side(a, b, c Point) int { return side(a, b, c) }

// side is Side.
//
// It uses floating point if the sign is beyond doubt, and exact arithmetic otherwise. Source: J. R. Shewchuk,
// Adaptive Precision Floating-Point Arithmetic and Fast Robust Geometric Predicates, Discrete & Computational
// Geometry 18 (1997), the predicate orient2d and its first error bound.
func side(a, b, c Point) int {
	l1, l2 := a.X-c.X, b.Y-c.Y
	r1, r2 := a.Y-c.Y, b.X-c.X
	left, right := float64(l1*l2), float64(r1*r2)
	det, sum := left-right, math.Abs(left)+math.Abs(right)

	// Below the second bound, a product may have lost digits to underflow.
	if sum > tiny && math.Abs(det) > sideError*sum && !math.IsInf(sum, 0) {
		if det > 0 {
			return 1
		}
		return -1
	}

	// A difference of two numbers has the right sign, whatever its digits.
	sl, sr := sign(l1)*sign(l2), sign(r1)*sign(r2)
	switch {
	case sl > sr:
		return 1
	case sl < sr:
		return -1
	case sl == 0:
		return 0
	}

	return sideExact(a, b, c)
}

const (
	// sideError is (3 + 16e)e for e = 2^-53. It bounds the error of the determinant, relative to the sum of the
	// absolute values of its two products.
	sideError = 3.3306690738754716e-16
	tiny      = 1e-280
)

func sign(f float64) int {
	switch {
	case f > 0:
		return 1
	case f < 0:
		return -1
	}
	return 0
}

// det returns twice the area of the triangle a, b, c, which is positive if c is to the left of the line from a to
// b, and a bound of its error.
func det(a, b, c Point) (d, off float64) {
	left, right := float64((a.X-c.X)*(b.Y-c.Y)), float64((a.Y-c.Y)*(b.X-c.X))
	return left - right, sideError*(math.Abs(left)+math.Abs(right)) + tiny
}

// sideExact computes the determinant without error. Each difference and each product is a sum of two numbers, and
// the sixteen results are added without loss.
func sideExact(a, b, c Point) int {
	l1, l1t := diff(a.X, c.X)
	l2, l2t := diff(b.Y, c.Y)
	r1, r1t := diff(a.Y, c.Y)

	r2, r2t := diff(b.X, c.X)
	for _, f := range [...]float64{l1, l2, r1, r2, l1t, l2t, r1t, r2t} {
		// Beyond these limits, a product or its error may not be representable.
		if f != 0 && !(math.Abs(f) > 1e-130 && math.Abs(f) < 1e130) {
			return sideRational(a, b, c)
		}
	}

	var e expansion
	e.addProduct(l1, l2)
	e.addProduct(l1, l2t)
	e.addProduct(l1t, l2)
	e.addProduct(l1t, l2t)
	e.addProduct(-r1, r2)
	e.addProduct(-r1, r2t)
	e.addProduct(-r1t, r2)
	e.addProduct(-r1t, r2t)

	return e.sign()
}

// diff returns a-b as a sum of two numbers (Shewchuk's Two-Diff).
func diff(a, b float64) (d, tail float64) {
	return twoSum(a, -b)
}

// twoSum returns a+b as a sum of two numbers (Knuth's Two-Sum).
func twoSum(a, b float64) (s, tail float64) {
	s = a + b
	bb := s - a
	return s, (a - (s - bb)) + (b - bb)
}

// expansion is a sum of numbers that do not overlap, smallest first.
type expansion struct {
	terms [16]float64
	n     int
}

func (e *expansion) addProduct(a, b float64) {
	p := a * b
	e.add(math.FMA(a, b, -p))
	e.add(p)
}

// add adds a number without loss (Shewchuk's Grow-Expansion).
func (e *expansion) add(f float64) {
	if f == 0 {
		return
	}
	for i := range e.n {
		f, e.terms[i] = twoSum(f, e.terms[i])
	}
	e.terms[e.n] = f
	e.n++
}

func (e *expansion) sign() int {
	for i := e.n - 1; i >= 0; i-- {
		if s := sign(e.terms[i]); s != 0 {
			return s
		}
	}
	return 0
}

func sideRational(a, b, c Point) int {
	return crossRational(rational(a), rational(b), rational(c)).Sign()
}

// A ratPoint is a point whose coordinates are exact fractions.
type ratPoint struct{ x, y *big.Rat }

func rational(p Point) ratPoint {
	return ratPoint{new(big.Rat).SetFloat64(p.X), new(big.Rat).SetFloat64(p.Y)}
}

// crossRational returns (a-c) x (b-c).
func crossRational(a, b, c ratPoint) *big.Rat {
	sub := func(p, q *big.Rat) *big.Rat { return new(big.Rat).Sub(p, q) }
	left := sub(a.x, c.x)
	left.Mul(left, sub(b.y, c.y))
	right := sub(a.y, c.y)
	right.Mul(right, sub(b.x, c.x))
	return left.Sub(left, right)
}
