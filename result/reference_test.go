package result

import (
	"go/ast"
	"go/parser"
	"go/token"
	"testing"
)

// Every metric that is declared is found somewhere.
func TestReferenceIsComplete(t *testing.T) {
	names := func(file string, use func(ast.Node)) {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			use(n)
			return true
		})
	}
	listed := map[string]bool{}
	names("reference.go", func(n ast.Node) {
		if id, ok := n.(*ast.Ident); ok {
			listed[id.Name] = true
		}
	})
	declared := 0
	for _, file := range []string{"metrics.go", "jobs.go", "energy.go", "cost.go"} {
		names(file, func(n ast.Node) {
			if v, ok := n.(*ast.ValueSpec); ok {
				for _, id := range v.Names {
					if declared++; !listed[id.Name] {
						t.Errorf("%s is declared in %s, but not at any place in reference.go", id.Name, file)
					}
				}
			}
		})
	}
	if declared < 100 || len(Reference()) < declared {
		t.Errorf("%d metrics declared, %d listed", declared, len(Reference()))
	}
}

// A metric at a place is there once, and is explained.
func TestReferenceIsSound(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range Reference() {
		if at := d.Where + " " + d.Path; seen[at] {
			t.Errorf("%s is listed twice", at)
		} else {
			seen[at] = true
		}
		if d.Name == "" || d.Definition == "" {
			t.Errorf("%+v", d)
		}
	}
}
