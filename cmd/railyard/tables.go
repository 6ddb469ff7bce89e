package main

import (
	"errors"
	"fmt"

	"github.com/railyard/railyard/report"
	"github.com/railyard/railyard/report/parquet"
)

// tableFormats are those in which tables are written into a folder beside CSV.
func tableFormats(name, out string) ([]report.TableFormat, error) {
	switch {
	case name == "csv":
		return nil, nil
	case name != "parquet":
		return nil, fmt.Errorf("--tables %s: it is csv or parquet", name)
	case out == "":
		return nil, errors.New("--tables parquet needs --out DIR")
	}
	return []report.TableFormat{{Extension: ".parquet", Write: parquet.Write}}, nil
}
