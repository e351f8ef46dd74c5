package feature

import (
	"fmt"
	"iter"
	"strconv"
	"time"
)

// Column is the type of a PostgreSQL column that holds an attribute.
type Column string

// The types of columns.
const (
	Boolean   Column = "boolean"
	BigInt    Column = "bigint"
	Double    Column = "double precision"
	Day       Column = "date"
	Timestamp Column = "timestamp with time zone"
	Text      Column = "text"
)

// columnOf returns the narrowest type that holds a value, "" for nil.
func columnOf(v Value) Column {
	switch v.(type) {
	case nil:
		return ""
	case bool:
		return Boolean
	case int64:
		return BigInt
	case float64:
		return Double
	case Date:
		return Day
	case time.Time:
		return Timestamp
	}

	return Text
}

// ColumnOf returns the type of a column that holds all values of an attribute. A mix of bigint and
// double precision is double precision, any other mix is text, and so is an attribute that is nil
// everywhere.
func ColumnOf(values iter.Seq[Value]) Column {
	var column Column

	for v := range values {
		switch c := columnOf(v); {
		case c == "" || c == column:
		case column == "":
			column = c
		case column == BigInt && c == Double, column == Double && c == BigInt:
			column = Double
		default:
			return Text
		}
	}

	if column == "" {
		return Text
	}

	return column
}

// As converts a value for a column whose type came from ColumnOf: an int64 to float64 for double
// precision, and any value to a string for text. nil stays nil.
func As(v Value, c Column) Value {
	switch {
	case v == nil:
		return nil
	case c == Text:
		return TextOf(v)
	case c == Double:
		if n, ok := v.(int64); ok {
			return float64(n)
		}
	}

	return v
}

// TextOf writes a value as text, "" for nil: numbers in decimal with as many digits as they need,
// days and times in ISO 8601.
func TextOf(v Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case Date:
		return fmt.Sprintf("%04d-%02d-%02d", v.Year, v.Month, v.Day)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}

	return fmt.Sprint(v)
}
