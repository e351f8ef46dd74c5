package quantity_test

import (
	"fmt"

	"github.com/loadgrid/loadgrid/internal/quantity"
)

func ExampleSizes() {
	sizes, err := quantity.Sizes("1km x 250 m")
	if err != nil {
		fmt.Println(err)
		return
	}

	for _, s := range sizes {
		fmt.Println(s.In(3035))
	}

	_, err = quantity.Sizes("2,500")
	fmt.Println(err)
	// Output:
	// 1000 <nil>
	// 250 <nil>
	// is ambiguous: write 2500 or 2x500
}
