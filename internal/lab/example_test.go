package lab_test

import (
	"fmt"

	"github.com/railyard/railyard/internal/lab"
)

func ExampleNear() {
	fmt.Println(lab.Near(101, 100, 0.02), lab.Near(103, 100, 0.02))
	// Output: true false
}
