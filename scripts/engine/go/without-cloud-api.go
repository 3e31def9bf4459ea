package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/gorilla/mux"
)

// In place of upstream's spec.go, which reads the OpenAPI specification of Pulumi Cloud for `pulumi api`: the library
// that reads it is a fifth of the whole build.

func LoadIndex(context.Context, io.Writer, bool) (*Index, error) {
	return nil, errors.New("this Pulumi CLI is built without the specification of Pulumi Cloud's API. " +
		"The one of https://get.pulumi.com has it")
}

// What the other files of the package work on: there is no value of these here.

type Index struct {
	ByKey       map[string]*Operation
	Operations  []*Operation
	SpecVersion string
	router      *mux.Router
}

type Operation struct {
	OperationID, Method, Path, Summary, Description, Tag, SupersededBy string

	BodyContentType, ResponseContentType string
	BodySchemaText, ResponseSchemaText   string
	BodySchemaMarkdown                   string
	BodySchemaJSON, ResponseSchemaJSON   json.RawMessage
	HasBody, IsPreview, IsDeprecated     bool
	SuccessContentTypes                  []string
	Params                               []ParamSpec
	InlineResponses                      []ResponseSpec
	StockErrors                          []ErrorRef
}

func (o *Operation) Key() string { return o.Method + " " + o.Path }

type ParamSpec struct {
	Name, In, Type, Description string
	Required                    bool
	Values                      []string
}

type ResponseSpec struct {
	Status, Description, ContentType, SchemaText, SchemaMarkdown string
	SchemaJSON                                                   json.RawMessage
}

type ErrorRef struct{ Status, Description string }

var methodPrecedence map[string]int
